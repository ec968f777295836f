"""Training: what is learned, from which scans, and its determinism."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semantoks.artifacts.files import read_json
from semantoks.errors import UserError
from semantoks.model.pretrain import loop
from semantoks.model.pretrain.stage import pretrain_arrays
from semantoks.model.pretrain.state import TrainingState, build_model
from semantoks.model.pretrain.step import train_step
from tests.unit.model.pretrain.conftest import NETWORKS, make_scans, make_settings, read_outputs


def test_student_is_trained_and_teacher_follows(tmp_path: Path) -> None:
    start = build_model(make_settings(), NETWORKS)
    model = pretrain_arrays(make_scans(), NETWORKS, make_settings(), tmp_path)
    for encoder in (model.student, model.teacher):
        assert not torch.equal(encoder.cls_embedding, start.student.cls_embedding)
    assert not torch.equal(model.student.cls_embedding, model.teacher.cls_embedding)


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        torch.rand(3)  # the global random state must not matter
        pretrain_arrays(make_scans(), NETWORKS, make_settings(seed=seed), tmp_path / name)
    assert read_outputs(tmp_path / "first") == read_outputs(tmp_path / "again")
    weights = "encoder.safetensors"
    assert read_outputs(tmp_path / "first")[weights] != read_outputs(tmp_path / "other")[weights]


def test_fewer_scans_than_a_batch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pretrain_arrays(make_scans(5), NETWORKS, make_settings(batch_size=512), tmp_path)
    assert (
        "A batch has 5 scans instead of 512 (batch_size), because there are 5 scans" in caplog.text
    )
    assert "losses of different batch sizes are not comparable" in caplog.text
    assert read_json(tmp_path / "config.json")["training"]["steps"] == 3


def test_short_scans_are_excluded_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scans = [*make_scans(6), *make_scans(2, volumes=19)]
    pretrain_arrays(scans, NETWORKS, make_settings(), tmp_path)
    assert "2 of 8 scans are shorter than a window (20 volumes)" in caplog.text
    assert read_json(tmp_path / "config.json")["training"]["scans"] == 6
    with pytest.raises(UserError, match="at least 2 scans of 20 volumes or more, found 1 among 3"):
        pretrain_arrays(scans[5:], NETWORKS, make_settings(), tmp_path)


def test_weights_that_diverge_in_the_last_step_stop_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(state: TrainingState, *_: object) -> None:
        train_step(state, *_)  # type: ignore[arg-type]
        state.model.student.norm.weight.data[0] = torch.inf

    monkeypatch.setattr(loop, "train_step", step)
    with pytest.raises(UserError, match="Weights are NaN or infinite after epoch 1"):
        pretrain_arrays(make_scans(2), NETWORKS, make_settings(), tmp_path)
    assert not (tmp_path / "encoder.safetensors").exists()


def test_missing_regions_leave_the_weights_finite(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scans = make_scans()
    scans[0][0] = np.nan
    scans[1][:] = np.nan
    for scan in scans:
        scan[4:7] = np.nan  # network "b" is missing in every scan
    model = pretrain_arrays(scans, NETWORKS, make_settings(), tmp_path)
    assert f"1 of {len(scans)} scans have no region with data" in caplog.text
    assert all(p.isfinite().all() for p in model.parameters())
