"""Log lines of a training."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from semantoks.model.pretrain import progress
from semantoks.model.pretrain.stage import pretrain_arrays
from tests.unit.model.pretrain.conftest import NETWORKS, make_scans, make_settings


def test_progress_is_logged_up_to_the_last_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    with caplog.at_level(logging.INFO):
        pretrain_arrays(make_scans(), NETWORKS, make_settings(), tmp_path)
    lines = [r.message for r in caplog.records if r.message.startswith("epoch ")]
    assert len(lines) == 6
    assert lines[-1].startswith("epoch 3/3, step 2/2: loss ") and lines[-1].endswith("0 s left")
