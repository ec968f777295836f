"""`--use-conda` with a stand-in for conda: the whole road, each rule in its own environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.workspaces import Workspace, same

pytestmark = [pytest.mark.slow, pytest.mark.conda]

STAND_INS = Path(__file__).parents[1] / "stand_ins"


def test_each_environment_is_enough_for_its_rules(
    fresh: Workspace, finished: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    conda = fresh.folder / "stand-in"
    conda.mkdir()
    (conda / "conda").symlink_to(STAND_INS / "conda")
    monkeypatch.setenv("PATH", f"{conda}:{os.environ['PATH']}")
    monkeypatch.setenv("SEMANTOKS_CONDA_PREFIX", str(fresh.folder / "base"))
    fresh.run("--use-conda")
    made = list(fresh.folder.glob(".snakemake/conda/*/bin/python"))
    assert len(made) == 3
    same(fresh, finished)
