"""Resuming a killed training, and checkpoints that must be ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from semantoks.errors import UserError
from semantoks.model.pretrain import step
from semantoks.model.pretrain.stage import pretrain_arrays
from tests.unit.model.pretrain.conftest import (
    NETWORKS,
    kill_after,
    make_scans,
    make_settings,
    read_outputs,
)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_killed_training_resumes_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    pretrain_arrays(make_scans(), NETWORKS, make_settings(), tmp_path / "whole")
    with monkeypatch.context() as patch:
        kill_after(steps, patch)
        with pytest.raises(KeyboardInterrupt):
            pretrain_arrays(
                make_scans(), NETWORKS, make_settings(), tmp_path / "killed", checkpoint_seconds=0
            )
    files = {p.name for p in (tmp_path / "killed/checkpoint").iterdir()}
    assert files == {"scans.f16", "scans.json", "state.safetensors"}
    with monkeypatch.context() as patch:
        kill_after(6 - steps, patch)  # fail if more steps are done than were left
        pretrain_arrays(make_scans(), NETWORKS, make_settings(), tmp_path / "killed")
    assert read_outputs(tmp_path / "whole") == read_outputs(tmp_path / "killed")


@pytest.mark.parametrize("change", ["settings", "data", "networks", "truncated", "flipped"])
def test_unusable_checkpoint_is_ignored_with_a_warning(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    change: str,
) -> None:
    with monkeypatch.context() as patch:
        kill_after(3, patch)
        with pytest.raises(KeyboardInterrupt):
            pretrain_arrays(make_scans(), NETWORKS, make_settings(), tmp_path, checkpoint_seconds=0)
    state = tmp_path / "checkpoint" / "state.safetensors"
    if change == "truncated":
        state.write_bytes(state.read_bytes()[:1000])
    if change == "flipped":
        content = bytearray(state.read_bytes())
        content[-1000] ^= 1
        state.write_bytes(content)
    scans = make_scans(11) if change == "data" else make_scans()
    networks = NETWORKS[::-1] if change == "networks" else NETWORKS
    chosen = make_settings(epochs=2) if change == "settings" else make_settings()
    pretrain_arrays(scans, networks, chosen, tmp_path)
    assert "training restarts from scratch" in caplog.text
    pretrain_arrays(scans, networks, chosen, tmp_path / "fresh")
    assert read_outputs(tmp_path) == read_outputs(tmp_path / "fresh")


def test_diverged_training_stops_and_leaves_a_finite_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = step.gradients

    def broken(model: Any, *arguments: Any) -> dict[str, torch.Tensor]:
        values = original(model, *arguments)
        if model.student.cls_embedding.isfinite().all() and (tmp_path / "diverge").exists():
            for parameter in model.student.parameters():
                parameter.grad = torch.full_like(parameter, torch.nan)
            values = {name: loss * torch.nan for name, loss in values.items()}
        (tmp_path / "diverge").touch()
        return values

    monkeypatch.setattr(step, "gradients", broken)
    with pytest.raises(UserError, match="The loss is nan in epoch 1"):
        pretrain_arrays(make_scans(), NETWORKS, make_settings(), tmp_path, checkpoint_seconds=0)
    state = load_file(tmp_path / "checkpoint" / "state.safetensors")
    assert all(value.isfinite().all() for value in state.values() if value.is_floating_point())
