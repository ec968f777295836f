"""The state of a training on disk: one safetensors file, replaced whole, never a pickle."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from semantoks.artifacts.files import atomic
from semantoks.config import Pretraining
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.pretrain.monitor import Row
from semantoks.model.pretrain.views import PackedScans

logger = logging.getLogger(__name__)

_FORMAT = 2


@dataclass
class TrainingState:
    """What changes during a training; random draws are functions of the step and need no state.

    Attributes
    ----------
    model : SelfDistillation
        Student and teacher with their projectors.
    optimizer : Optimizer
        AdamW over the student's parameters.
    step : int
        Steps done.
    sums : Tensor
        Sums over the current epoch: loss, its terms, gradient norm.
    precision : dtype or None
        Of matrix products, where not the parameters' own.
    masked_steps : int
        Steps of the current epoch with masks.
    rows : list
        Metrics of the finished epochs.
    """

    model: SelfDistillation
    optimizer: torch.optim.Optimizer
    sums: Tensor
    precision: torch.dtype | None = None
    step: int = 0
    masked_steps: int = 0
    rows: list[Row] = field(default_factory=list)

    def save(self, path: Path, fingerprint: str) -> None:
        """Write the state so that a kill at any time leaves the old file or the new one."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
        tensors["sums"] = self.sums
        progress = {"step": self.step, "masked_steps": self.masked_steps, "rows": self.rows}
        tensors = {name: value.contiguous() for name, value in tensors.items()}
        metadata = {"fingerprint": fingerprint, "progress": json.dumps(progress)}
        metadata["sha256"] = _checksum(tensors, metadata)
        with atomic(path) as temporary:
            save_file(tensors, temporary, metadata)

    def resume(self, path: Path, fingerprint: str) -> None:
        """Go on from the file, if there is one and it belongs to this training."""
        if not path.exists():
            return
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("fingerprint") != fingerprint:
                    logger.warning(
                        "%s belongs to other settings or time series; it is ignored and the "
                        "training starts anew.",
                        path,
                    )
                    return
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            logger.warning("%s is unreadable (%s); the training starts anew.", path, error)
            return
        if metadata.pop("sha256", "") != _checksum(tensors, metadata):
            logger.warning("%s is damaged (its checksum); the training starts anew.", path)
            return
        self._restore(tensors, json.loads(metadata["progress"]))
        logger.info("Resumed from %s after step %d.", path, self.step)

    def _restore(self, tensors: dict[str, Tensor], progress: dict[str, Any]) -> None:
        moments: dict[int, dict[str, Tensor]] = {}
        model: dict[str, Tensor] = {}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "model":
                model[rest] = value
            elif kind == "optimizer":
                number, _, moment = rest.partition(".")
                moments.setdefault(int(number), {})[moment] = value
        self.model.load_state_dict(model)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.sums = tensors["sums"].to(self.sums.device)
        self.step = progress["step"]
        self.masked_steps = progress["masked_steps"]
        self.rows = progress["rows"]


def _checksum(tensors: dict[str, Tensor], metadata: dict[str, str]) -> str:
    """Hash everything that a checkpoint holds."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        values = tensors[name].cpu().reshape(-1).view(torch.uint8)
        digest.update(name.encode())
        digest.update(values.numpy().data)
    return digest.hexdigest()


class Checkpoint:
    """Keeps the state of a training on disk, at most every so many seconds.

    Parameters
    ----------
    path : Path
        The file.
    fingerprint : str
        What the training depends on.
    seconds : float
        Time between two checkpoints.
    active : bool
        False in processes that leave it to another one.
    """

    def __init__(self, path: Path, fingerprint: str, seconds: float, active: bool = True) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.seconds = seconds
        self.active = active
        self.saved = time.monotonic()

    def save_if_due(self, state: TrainingState) -> None:
        """Write the state if the last time is long enough ago."""
        due = self.active and time.monotonic() - self.saved >= self.seconds
        if due and state.sums.isfinite().all():  # a broken state must not replace a good one
            state.save(self.path, self.fingerprint)
            self.saved = time.monotonic()


def fingerprint(
    settings: Pretraining, networks: Sequence[str], packed: PackedScans, shares: tuple[int, ...]
) -> str:
    """Hash all that a training depends on: settings, networks, time series, shares of a batch."""
    text = f"{_FORMAT} {settings.model_dump_json()} {list(networks)} {shares}"
    digest = hashlib.sha256(text.encode())
    for part in (packed.length_S, packed.volumes_VC):
        digest.update(part.cpu().contiguous().numpy().data)
    return digest.hexdigest()
