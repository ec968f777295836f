"""A model and its data for `speed.pretrain`, with a fast and a plain training step."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from semantoks.config import Architecture, Pretraining, Tokenizer, Training
from semantoks.model.pretrain.packed import PackedScans
from semantoks.model.pretrain.schedule import Schedule
from semantoks.model.pretrain.state import initial_state
from semantoks.model.pretrain.step import chunk_generators, train_step
from semantoks.model.pretrain.views import Views, draw_views
from semantoks.system.distributed import Process
from speed import plain

NETWORK_SIZES = (61, 77, 46, 47, 26, 52, 91, 50, 7)
VOLUMES = 300


class Setup:
    """A model, its data, and a training step of each variant."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        small = Architecture(
            tokenizer=Tokenizer(dense_channels=64, structured_channels=64), depth=4
        )
        self.settings = Pretraining(
            architecture=Architecture() if chosen.size == "paper" else small,
            training=Training(
                batch_size=chosen.batch,
                precision=chosen.precision,
                compile="always" if chosen.compile else "never",
            ),
        )
        networks = [str(n) for n, size in enumerate(NETWORK_SIZES) for _ in range(size)]
        rng = np.random.default_rng(0)
        scans = (rng.normal(size=(len(networks), VOLUMES)) for _ in range(chosen.batch))
        with tempfile.TemporaryDirectory() as folder:
            PackedScans.write(Path(folder), scans)
            self.packed = PackedScans.open(Path(folder)).to(chosen.device)
        self.schedule = Schedule.plan(self.settings.training, 100 * chosen.batch)
        self.state = initial_state(self.settings, networks, chosen.device)
        self.scan_B = torch.arange(chosen.batch, device=chosen.device)
        self.process = Process(0, 1)
        late = range(self.schedule.steps // 2, self.schedule.steps)  # the regulariser has ended
        self.steps = {
            True: iter([step for step in late if self.schedule.masked(step)]),
            False: iter([step for step in late if not self.schedule.masked(step)]),
        }
        model = self.state.model
        students = [*model.student.parameters(), *model.projector.parameters()]
        self.plain_optimizer = torch.optim.AdamW(students, lr=1e-4)

    def fast(self, masked: bool) -> None:
        """Train as `semantoks pretrain` does."""
        self.state.step = next(self.steps[masked])
        train_step(self.state, self.scan_B, self.packed, self.schedule, self.settings, self.process)

    def plain(self, masked: bool) -> None:
        """Train with `speed.plain`, on views that are drawn as in the fast variant."""
        model, views = self.state.model, self._views(masked)
        masks = None if views.mask_WNP is None else views.mask_WNP.chunk(2)
        with torch.autocast(
            self.scan_B.device.type, self.state.precision, self.state.precision is not None
        ):
            losses = plain.losses(model, views.views_WCT.chunk(2), masks)
        self.plain_optimizer.zero_grad()
        losses["total"].backward()
        group = self.plain_optimizer.param_groups[0]
        torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
        self.plain_optimizer.step()
        plain.update_teacher(model, 0.99)

    def data(self) -> object:
        """Draw the views and masks of a batch."""
        return self._views(masked=True)

    def embed(self) -> object:
        """Embed a batch of windows with the teacher."""
        views_WCT = self._views(masked=False).views_WCT[: len(self.scan_B)]
        with torch.inference_mode():
            return self.state.model.teacher.embed(views_WCT)

    def _views(self, masked: bool) -> Views:
        networks = len(NETWORK_SIZES) if masked else None
        seeds = chunk_generators(self.schedule, self.state.step, self.scan_B.device, self.process)
        return draw_views(self.packed, self.scan_B, self.settings, networks, seeds)
