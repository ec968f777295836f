"""Measures of collapse and their alarm."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from semantoks.errors import UserError
from semantoks.model.distillation import losses
from semantoks.model.pretrain.monitor import effective_rank, token_cosine
from semantoks.model.pretrain.stage import pretrain_arrays
from tests.unit.model.pretrain.conftest import NETWORKS, make_scans, make_settings


def test_effective_rank_and_token_cosine() -> None:
    assert effective_rank(torch.ones(5, 3)).item() == pytest.approx(1)
    assert effective_rank(torch.eye(4)).item() == pytest.approx(4)
    assert token_cosine(torch.ones(2, 3, 4)).item() == pytest.approx(1)
    assert token_cosine(torch.eye(3)[None]).item() == pytest.approx(0, abs=1e-12)


def test_collapsed_training_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "coding_rate", lambda *_, **__: torch.zeros(2))
    with pytest.raises(UserError, match="has collapsed: for 3 epochs"):
        pretrain_arrays(
            make_scans(16), NETWORKS, make_settings(epochs=20, crops_per_epoch=8), tmp_path
        )


def test_normal_training_raises_no_alarm(tmp_path: Path) -> None:
    pretrain_arrays(make_scans(16), NETWORKS, make_settings(epochs=8, crops_per_epoch=8), tmp_path)
    metrics = pd.read_parquet(tmp_path / "metrics.parquet")
    assert metrics["student_effective_rank"].iloc[-1] > 2
