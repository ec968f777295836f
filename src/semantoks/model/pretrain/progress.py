"""Log lines that report the progress of a training."""

from __future__ import annotations

import logging
import time

from semantoks.model.pretrain.schedule import Schedule
from semantoks.model.pretrain.state import TrainingState

logger = logging.getLogger(__name__)

LOG_SECONDS = 5.0


class Progress:
    """A log line every few seconds: position, losses, speed and remaining time.

    Parameters
    ----------
    schedule : Schedule
        The training.
    step : int
        Steps that were done before this process started.
    """

    def __init__(self, schedule: Schedule, step: int) -> None:
        self.schedule = schedule
        self.first_step = step
        self.started = self.logged = time.monotonic()

    def log(self, state: TrainingState) -> None:
        """Log a line if the last is some seconds old, or after the last step."""
        now = time.monotonic()
        # Reading the sums below forces a host sync on CUDA, so do it only when a line is due.
        if now - self.logged < LOG_SECONDS and state.step < self.schedule.steps:
            return
        self.logged = now
        schedule = self.schedule
        done = (state.step - 1) % schedule.steps_per_epoch + 1
        total, cls, ttr, token, _ = (state.sums / done).tolist()
        seconds_per_step = (now - self.started) / (state.step - self.first_step)
        logger.info(
            "epoch %d/%d, step %d/%d: loss %.3f (cls %.3f, ttr %.3f, token %.3f)%s, "
            "%.0f scans/s, %.0f s left",
            (state.step - 1) // schedule.steps_per_epoch + 1,
            schedule.training.epochs,
            done,
            schedule.steps_per_epoch,
            *(total, cls, ttr, token, _effective_rank(state)),
            schedule.batch / seconds_per_step,
            (schedule.steps - state.step) * seconds_per_step,
        )


def _effective_rank(state: TrainingState) -> str:
    if not state.epochs:
        return ""
    return f", effective rank {state.epochs[-1]['student_effective_rank']:.1f}"
