"""The training loop: deterministic, resumable, and honest about what it cannot do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from semantoks.artifacts.files import read_json
from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.config import Architecture, Pretraining, Tokenizer, Training
from semantoks.errors import UserError
from semantoks.model.distillation import losses
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.pretrain import loop, progress, step
from semantoks.model.pretrain.loop import fit
from semantoks.model.pretrain.monitor import effective_rank, token_cosine
from semantoks.model.pretrain.schedule import Schedule
from semantoks.model.pretrain.settings import PretrainSettings
from semantoks.model.pretrain.stage import pretrain

NETWORKS = ("a",) * 4 + ("b",) * 3 + ("c",) * 5
SIZES = Architecture(
    window=20,
    patch=10,
    tokenizer=Tokenizer(dense_channels=8, structured_channels=8),
    head_width=8,
    depth=1,
    projector_hidden=16,
    projector_output=8,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def settings(**training: Any) -> Pretraining:
    chosen = {"epochs": 3, "batch_size": 4, "warmup_epochs": 1, "learning_rate": 0.03} | training
    return Pretraining(architecture=SIZES, training=Training(**chosen))


def make_scans(count: int = 10, volumes: int = 45) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    scans = []
    for _ in range(count):
        sources = rng.normal(size=(4, volumes)).cumsum(1)
        x_CT = rng.normal(size=(12, 4)) @ sources + rng.normal(size=(12, volumes))
        z_CT = (x_CT - x_CT.mean(1, keepdims=True)) / x_CT.std(1, keepdims=True)
        scans.append(z_CT.astype(np.float32))
    return scans


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_is_written(tmp_path: Path) -> None:
    model = fit(make_scans(), NETWORKS, settings(), tmp_path)
    assert sorted(outputs(tmp_path)) == [
        "README.md",
        "config.json",
        "encoder.safetensors",
        "metrics.parquet",
    ]
    metrics = pd.read_parquet(tmp_path / "metrics.parquet")
    assert metrics["epoch"].tolist() == [1, 2, 3]
    assert np.isfinite(metrics.to_numpy()).all()
    measures = {"effective_rank", "token_cosine", "coding_rate"}
    assert {f"{r}_{m}" for r in ("student", "teacher") for m in measures} <= set(metrics)
    x_BCT = torch.from_numpy(make_scans()[0][None, :, :20])
    assert torch.equal(load_encoder(tmp_path).embed(x_BCT), model.teacher.embed(x_BCT))
    training = read_json(tmp_path / "config.json")["training"]
    assert (training["scans"], training["batch_size"], training["steps"]) == (10, 4, 6)


def test_the_student_learns_and_the_teacher_follows(tmp_path: Path) -> None:
    start = loop.build(settings(), NETWORKS)
    model = fit(make_scans(), NETWORKS, settings(), tmp_path)
    for encoder in (model.student, model.teacher):
        assert not torch.equal(encoder.cls_embedding, start.student.cls_embedding)
    assert not torch.equal(model.student.cls_embedding, model.teacher.cls_embedding)


def test_a_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        torch.rand(3)  # the global random state must not matter
        fit(make_scans(), NETWORKS, settings(seed=seed), tmp_path / name)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "again")
    weights = "encoder.safetensors"
    assert outputs(tmp_path / "one")[weights] != outputs(tmp_path / "other")[weights]


def kill_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done = 0
    original = loop.train_step

    def counted(*arguments: Any) -> None:
        nonlocal done
        if done == steps:
            raise KeyboardInterrupt
        done += 1
        original(*arguments)

    monkeypatch.setattr(loop, "train_step", counted)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_a_killed_training_resumes_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    fit(make_scans(), NETWORKS, settings(), tmp_path / "whole")
    with monkeypatch.context() as patch:
        kill_after(steps, patch)
        with pytest.raises(KeyboardInterrupt):
            fit(make_scans(), NETWORKS, settings(), tmp_path / "killed", checkpoint_seconds=0)
    kept = {p.name for p in (tmp_path / "killed/checkpoint").iterdir()}
    assert kept == {"scans.f16", "scans.json", "state.safetensors"}
    with monkeypatch.context() as patch:
        kill_after(6 - steps, patch)  # no more steps than were missing
        fit(make_scans(), NETWORKS, settings(), tmp_path / "killed")
    assert outputs(tmp_path / "whole") == outputs(tmp_path / "killed")


@pytest.mark.parametrize("change", ["settings", "data", "networks", "cut", "flipped"])
def test_a_stale_checkpoint_is_ignored_aloud(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    change: str,
) -> None:
    with monkeypatch.context() as patch:
        kill_after(3, patch)
        with pytest.raises(KeyboardInterrupt):
            fit(make_scans(), NETWORKS, settings(), tmp_path, checkpoint_seconds=0)
    state = tmp_path / "checkpoint" / "state.safetensors"
    if change == "cut":
        state.write_bytes(state.read_bytes()[:1000])
    if change == "flipped":
        content = bytearray(state.read_bytes())
        content[-1000] ^= 1
        state.write_bytes(content)
    scans = make_scans(11) if change == "data" else make_scans()
    networks = NETWORKS[::-1] if change == "networks" else NETWORKS
    chosen = settings(epochs=2) if change == "settings" else settings()
    fit(scans, networks, chosen, tmp_path)
    assert "the training starts anew" in caplog.text
    fit(scans, networks, chosen, tmp_path / "fresh")
    assert outputs(tmp_path) == outputs(tmp_path / "fresh")


def test_fewer_scans_than_a_batch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fit(make_scans(5), NETWORKS, settings(batch_size=512), tmp_path)
    assert "there are 5 scans for 1 process(es): the batch is shrunk to 5" in caplog.text
    assert "Losses of different batch sizes do not compare" in caplog.text
    assert read_json(tmp_path / "config.json")["training"]["steps"] == 3


def test_short_scans_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scans = [*make_scans(6), *make_scans(2, volumes=19)]
    fit(scans, NETWORKS, settings(), tmp_path)
    assert "2 of 8 scans are shorter than a window (20 volumes)" in caplog.text
    assert read_json(tmp_path / "config.json")["training"]["scans"] == 6
    with pytest.raises(UserError, match="at least 2 scans of 20 volumes or more, found 1 among 3"):
        fit(scans[5:], NETWORKS, settings(), tmp_path)


def test_missing_regions_do_no_harm(tmp_path: Path) -> None:
    scans = make_scans()
    scans[0][0] = np.nan
    scans[1][:] = np.nan
    for scan in scans:
        scan[4:7] = np.nan  # network "b" is not covered in anyone
    model = fit(scans, NETWORKS, settings(), tmp_path)
    assert all(p.isfinite().all() for p in model.parameters())


def test_more_crops_per_epoch(tmp_path: Path) -> None:
    schedule = Schedule.plan(settings(crops_per_epoch=3).training, 10)
    order = schedule.order(0)
    assert order.shape == (7, 4)
    assert sorted(order.flatten()[:10].tolist()) == list(range(10))
    assert not torch.equal(order, schedule.order(1))


def test_schedule() -> None:
    training = settings(epochs=10, batch_size=4, ttr_fraction=0.1).training
    schedule = Schedule.plan(training, 40)
    rates = [schedule.learning_rate(step) for step in range(schedule.steps + 1)]
    peak = 0.03 * 4 / 256
    assert rates[0] == pytest.approx(peak / 10) and rates[9] == pytest.approx(peak)
    assert max(rates) == pytest.approx(peak) and rates[-1] == 0
    assert np.all(np.diff(rates[10:]) < 0)
    assert schedule.weight_decay(0) == pytest.approx(0.05)
    assert schedule.weight_decay(100) == pytest.approx(0.3)
    assert schedule.ttr_weight(0) == 0.5 and schedule.ttr_weight(5) == pytest.approx(0.25)
    assert schedule.ttr_weight(10) == 0
    masked = [schedule.masked(step) for step in range(1000)]
    assert 440 < sum(masked) < 560


def test_warmup_longer_than_the_training() -> None:
    schedule = Schedule.plan(settings(epochs=2, warmup_epochs=9).training, 8)
    assert [schedule.learning_rate(s) for s in range(4)] == pytest.approx(
        [0.03 / 64 * part for part in (0.25, 0.5, 0.75, 1)]
    )


def test_biases_norms_and_embeddings_do_not_decay() -> None:
    model = loop.build(settings(), NETWORKS)
    names = {id(p): name for name, p in model.named_parameters()}
    decaying, others = (
        {names[id(p)] for p in group["params"]} for group in loop.weight_decay_groups(model)
    )
    assert all(n.endswith(("weight", "skip_HC")) or "kernels" in n for n in decaying)
    assert not any("norm" in n or "embedding" in n or "scale" in n for n in decaying)
    assert {"student.mask_embedding", "student.cls_embedding", "student.network_embedding"} < others
    assert decaying | others == {n for n, p in model.named_parameters() if p.requires_grad}


def test_the_alarm_stops_a_collapsed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "coding_rate", lambda *_, **__: torch.zeros(2))
    with pytest.raises(UserError, match="has collapsed: for 3 epochs"):
        fit(make_scans(16), NETWORKS, settings(epochs=20, crops_per_epoch=8), tmp_path)


def test_the_alarm_is_silent_on_a_healthy_run(tmp_path: Path) -> None:
    fit(make_scans(16), NETWORKS, settings(epochs=8, crops_per_epoch=8), tmp_path)
    metrics = pd.read_parquet(tmp_path / "metrics.parquet")
    assert metrics["student_effective_rank"].iloc[-1] > 2


def test_a_loss_that_is_not_finite_stops_the_run_and_spoils_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = step.gradients

    def broken(model: Any, *arguments: Any) -> dict[str, torch.Tensor]:
        values = original(model, *arguments)
        if model.student.cls_embedding.isfinite().all() and (tmp_path / "poison").exists():
            for parameter in model.student.parameters():
                parameter.grad = torch.full_like(parameter, torch.nan)
            values = {name: loss * torch.nan for name, loss in values.items()}
        (tmp_path / "poison").touch()
        return values

    monkeypatch.setattr(step, "gradients", broken)
    with pytest.raises(UserError, match="The loss is nan in epoch 1"):
        fit(make_scans(), NETWORKS, settings(), tmp_path, checkpoint_seconds=0)
    state = load_file(tmp_path / "checkpoint" / "state.safetensors")
    assert all(value.isfinite().all() for value in state.values() if value.is_floating_point())


def test_scans_of_different_atlases_are_not_packed(tmp_path: Path) -> None:
    scans = [*make_scans(2), make_scans(1)[0][:5]]
    with pytest.raises(ValueError, match="5 regions, those before 12"):
        fit(scans, NETWORKS, settings(), tmp_path)


def test_more_parts_than_windows(tmp_path: Path) -> None:
    fit(make_scans(2), NETWORKS, settings(accumulation=9, epochs=1), tmp_path)
    assert read_json(tmp_path / "config.json")["training"]["steps"] == 1


def test_measures() -> None:
    assert effective_rank(torch.ones(5, 3)).item() == pytest.approx(1)
    assert effective_rank(torch.eye(4)).item() == pytest.approx(4)
    assert token_cosine(torch.ones(2, 3, 4)).item() == pytest.approx(1)
    assert token_cosine(torch.eye(3)[None]).item() == pytest.approx(0, abs=1e-12)


def write_shard(path: Path, ids: Sequence[str], **changes: Any) -> Path:
    manifest = Manifest(
        **{
            "atlas": "tiny",
            "atlas_sha256": "0" * 64,
            "labels": tuple(f"r{i}" for i in range(12)),
            "networks": NETWORKS,
            "space": "MNI152NLin2009cAsym",
            "tr": 2.0,
            "low_pass": 0.1,
            "high_pass": 0.01,
            "confounds": "simple",
            "engine": "minimal",
        }
        | changes
    )
    table = pd.DataFrame({"scan": ids, "participant_id": ids})
    table = table.assign(session="", task="rest", run="", status="ok", reason="")
    write_timeseries(path, table, make_scans(len(ids)), manifest)
    return path


def run_pretrain(shards: list[Path], folder: Path) -> None:
    out = folder / "model/encoder.safetensors"
    pretrain(PretrainSettings(model=settings()), timeseries=shards, out=out)


def test_pretrain_reads_shards(tmp_path: Path) -> None:
    shards = [
        write_shard(tmp_path / "one.parquet", ["s1", "s2", "s3"]),
        write_shard(tmp_path / "two.parquet", ["s4", "s5"]),
    ]
    run_pretrain(shards, tmp_path)
    manifest = load_encoder(tmp_path / "model").manifest
    assert manifest is not None and manifest.labels[3] == "r3"


def test_pretrain_refuses_shards_that_do_not_go_together(tmp_path: Path) -> None:
    shards = [
        write_shard(tmp_path / "one.parquet", ["s1", "s2"]),
        write_shard(tmp_path / "two.parquet", ["s3", "s4"], tr=0.8),
    ]
    with pytest.raises(UserError, match=r"two\.parquet does not fit.*tr is 0\.8, expected 2\.0"):
        run_pretrain(shards, tmp_path)
    with pytest.raises(UserError, match="found none"):
        run_pretrain([], tmp_path)


def test_progress_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    with caplog.at_level(logging.INFO):
        fit(make_scans(), NETWORKS, settings(), tmp_path)
    lines = [r.message for r in caplog.records if r.message.startswith("epoch ")]
    assert len(lines) == 6
    assert lines[-1].startswith("epoch 3/3, step 2/2: loss ") and lines[-1].endswith("0 s left")
