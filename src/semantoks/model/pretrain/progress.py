"""What is seen of a training while it runs."""

from __future__ import annotations

import logging
import time

from semantoks.model.pretrain.schedule import Schedule
from semantoks.model.pretrain.state import TrainingState

logger = logging.getLogger(__name__)

LOG_SECONDS = 5.0


class Progress:
    """A log line every few seconds: where the training is, how it does, how long it will take.

    Parameters
    ----------
    schedule : Schedule
        The training.
    step : int
        Steps done before this process began.
    """

    def __init__(self, schedule: Schedule, step: int) -> None:
        self.schedule = schedule
        self.first_step = step
        self.begun = self.logged = time.monotonic()

    def log(self, state: TrainingState) -> None:
        """Log a line if it is time for one, or this was the last step."""
        now = time.monotonic()
        if now - self.logged < LOG_SECONDS and state.step < self.schedule.steps:
            return
        self.logged = now
        schedule = self.schedule
        done = (state.step - 1) % schedule.steps_per_epoch + 1
        total, cls, ttr, token, _ = (state.sums / done).tolist()
        rank = _rank(state)
        seconds_per_step = (now - self.begun) / (state.step - self.first_step)
        logger.info(
            "epoch %d/%d, step %d/%d: loss %.3f (cls %.3f, ttr %.3f, token %.3f)%s, "
            "%.0f scans/s, %.0f s left",
            (state.step - 1) // schedule.steps_per_epoch + 1,
            schedule.training.epochs,
            done,
            schedule.steps_per_epoch,
            *(total, cls, ttr, token, rank),
            schedule.batch / seconds_per_step,
            (schedule.steps - state.step) * seconds_per_step,
        )


def _rank(state: TrainingState) -> str:
    if not state.rows:
        return ""
    return f", effective rank {state.rows[-1]['student_effective_rank']:.1f}"
