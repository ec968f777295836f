"""The checkpoint from which a killed training resumes: one safetensors file, never a pickle.

The file is scratch of the training, not an artifact: it is deleted at the end, nothing else reads
it, and no provenance is recorded for it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from semantoks.config import Pretraining
from semantoks.model.files.tensors import write_tensors
from semantoks.model.pretrain.monitor import Metrics
from semantoks.model.pretrain.packed import PackedScans
from semantoks.model.pretrain.state import TrainingState

logger = logging.getLogger(__name__)

# Part of the fingerprint: raise it if the content of the file changes, and old files are ignored.
_FORMAT = 2


class _Counters(TypedDict):
    """The part of the state that is not tensors, as JSON in the metadata of the file."""

    step: int
    masked_steps: int
    rows: list[Metrics]


class Checkpoint:
    """The state of a training on disk, written at most every `seconds`.

    Parameters
    ----------
    path : Path
        The file.
    fingerprint : str
        Hash of everything that the training depends on.
    seconds : float
        Minimum time between two writes.
    active : bool
        Whether this process writes; only the first rank does.
    """

    def __init__(self, path: Path, fingerprint: str, seconds: float, active: bool = True) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.seconds = seconds
        self.active = active
        self.saved = time.monotonic()

    def save_if_due(self, state: TrainingState) -> None:
        """Write the state if the last write is long enough ago."""
        due = self.active and time.monotonic() - self.saved >= self.seconds
        # A diverged state must not replace the last finite one.
        if due and state.sums.isfinite().all():
            self._save(state)
            self.saved = time.monotonic()

    def _save(self, state: TrainingState) -> None:
        """Write tensors, counters, fingerprint and checksum into the file."""
        tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
        for number, moments in state.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
        tensors["sums"] = state.sums
        # The checksum reads the bytes of a tensor in order.
        tensors = {name: value.contiguous() for name, value in tensors.items()}
        counters: _Counters = {
            "step": state.step,
            "masked_steps": state.masked_steps,
            "rows": state.epochs,
        }
        metadata = {"fingerprint": self.fingerprint, "progress": json.dumps(counters)}
        metadata["sha256"] = _checksum(tensors, metadata)
        # A kill at any time leaves either the old file or the new one.
        write_tensors(self.path, tensors, metadata)

    def resume(self, state: TrainingState) -> None:
        """Restore the state from the file, if it exists and belongs to this training."""
        if not self.path.exists():
            return
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("fingerprint") != self.fingerprint:
                    logger.warning(
                        "%s belongs to other settings or time series. It is ignored, and the "
                        "training restarts from scratch.",
                        self.path,
                    )
                    return
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            logger.warning(
                "%s is unreadable (%s). The training restarts from scratch.", self.path, error
            )
            return
        if metadata.pop("sha256", "") != _checksum(tensors, metadata):
            logger.warning(
                "%s is damaged (wrong checksum). The training restarts from scratch.", self.path
            )
            return
        _restore(state, tensors, json.loads(metadata["progress"]))
        logger.info("Resumed from %s after step %d.", self.path, state.step)


def _restore(state: TrainingState, tensors: Mapping[str, Tensor], counters: _Counters) -> None:
    """Set the state to what `Checkpoint` saved; the inverse of `_save`."""
    moments: dict[int, dict[str, Tensor]] = {}
    model: dict[str, Tensor] = {}
    for name, value in tensors.items():
        kind, _, key = name.partition(".")
        if kind == "model":
            model[key] = value
        elif kind == "optimizer":
            number, _, moment = key.partition(".")
            moments.setdefault(int(number), {})[moment] = value
    state.model.load_state_dict(model)
    # Learning rate and weight decay are set in every step, so only the moments are restored.
    groups = state.optimizer.state_dict()["param_groups"]
    state.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    state.sums = tensors["sums"].to(state.sums.device)
    state.step = counters["step"]
    state.masked_steps = counters["masked_steps"]
    state.epochs = counters["rows"]


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """Hash everything in a checkpoint; safetensors itself does not detect a flipped bit."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        # Flatten first: PyTorch cannot view a 0-dim tensor (`step` of AdamW) as bytes.
        values = tensors[name].cpu().reshape(-1).view(torch.uint8)
        digest.update(name.encode())
        digest.update(values.numpy().data)
    return digest.hexdigest()


def fingerprint(
    settings: Pretraining, networks: Sequence[str], packed: PackedScans, shares: tuple[int, ...]
) -> str:
    """Hash everything that a training depends on.

    Parameters
    ----------
    settings : Pretraining
    networks : sequence of str
        Network of each region.
    packed : PackedScans
        The time series.
    shares : tuple of int
        How a batch is divided among processes and generators.
    """
    text = f"{_FORMAT} {settings.model_dump_json()} {list(networks)} {shares}"
    digest = hashlib.sha256(text.encode())
    for tensor in (packed.length_S, packed.volumes_VC):
        digest.update(tensor.cpu().contiguous().numpy().data)
    return digest.hexdigest()
