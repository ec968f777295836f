"""Windows of blocks."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.config import Events
from semantoks.data.blocks.cutting import Run, window_of
from semantoks.errors import ScanError

RUN = Run({"start": 0.0}, np.zeros((3, 60)), 2.0)


@pytest.mark.parametrize(
    ("onset", "duration", "delay", "expected"),
    [
        (0.0, 21.0, 0.0, (0, 10)),
        (27.0, 21.0, 5.0, (16, 26)),
        # As many volumes wherever the window begins between two of them.
        (27.1, 21.0, 5.0, (17, 27)),
        (28.9, 21.0, 5.0, (17, 27)),
        (-4.0, 8.0, 4.0, (0, 4)),
        (100.0, 20.0, 0.0, (50, 60)),
    ],
)
def test_a_window_has_the_whole_volumes_that_fit(
    onset: float, duration: float, delay: float, expected: tuple[int, int]
) -> None:
    window = window_of(onset, duration, RUN, Events(delay=delay))
    assert (window.start, window.stop) == expected


def test_dropped_volumes_shift_the_window() -> None:
    """A time series that begins with the fifth volume begins at 4 TR of the scan."""
    run = Run({"start": 4 * 2.0}, np.zeros((3, 60)), 2.0)
    assert window_of(28.0, 20.0, run, Events(delay=0)).start == 14 - 4
    with pytest.raises(ScanError, match="the window of the event at 2 s begins 6 s before"):
        window_of(2.0, 20.0, run, Events(delay=0))


@pytest.mark.parametrize(
    ("onset", "duration", "reason"),
    [
        (100.0, 21.0, "the window of the event at 100 s ends 6 s after the data of the run"),
        (846.0, 12.5, "at 846 s ends 744 s after"),
        (10.0, 0.0, "has no length: its duration is 0 or not known; set `events.seconds`"),
        (10.0, float("nan"), "has no length"),
        (10.0, 7.9, "the window of 7.9 s has 3 volumes of 2 s, at least 4 are needed"),
    ],
)
def test_a_window_that_does_not_fit_has_a_reason(
    onset: float, duration: float, reason: str
) -> None:
    with pytest.raises(ScanError, match=reason):
        window_of(onset, duration, RUN, Events())


def test_seconds_replace_the_duration() -> None:
    window = window_of(10.0, float("nan"), RUN, Events(seconds=8, delay=4))
    assert (window.start, window.stop) == (7, 11)
