"""Stand-ins for docker, apptainer and fMRIPrep; the wrapper fmriprep-docker is the real program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stand_ins.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    return Sandbox(tmp_path, monkeypatch)
