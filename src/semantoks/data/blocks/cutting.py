"""Cut the cleaned time series of a run into blocks by its events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from semantoks.artifacts.fingerprints import FINGERPRINTS
from semantoks.artifacts.timeseries import EXCLUDED, INCLUDED, SOURCE
from semantoks.config import PERSON, Events
from semantoks.errors import ScanError

# With fewer, nothing is left of a correlation once the global signal is regressed out.
MIN_VOLUMES = 4
_ROUNDING = 1e-6  # of a volume


@dataclass(frozen=True)
class Run:
    """A cleaned run.

    Attributes
    ----------
    row : mapping of str to object
        Its row in the file of time series.
    timeseries_CT : ndarray, shape (regions, volumes)
    tr : float
        Seconds.
    """

    row: Mapping[str, object]
    timeseries_CT: np.ndarray
    tr: float

    @property
    def start(self) -> float:
        """Seconds from the first volume of the scan to that of the time series."""
        return float(str(self.row["start"]))


@dataclass(frozen=True)
class Blocks:
    """The blocks of one run.

    Attributes
    ----------
    rows : list of dict
        One row per block for the file of time series, in the order of the events.
    timeseries : list of ndarray (regions, volumes) or None
        None where the window does not fit the run.
    events : DataFrame
        ``participant_id`` (of the block), ``person`` and the columns of the events.
    overlapping : int
        Windows that begin before the one before them has ended.
    """

    rows: list[dict[str, object]]
    timeseries: list[np.ndarray | None]
    events: pd.DataFrame
    overlapping: int


def included(table: pd.DataFrame, events: Events) -> pd.DataFrame:
    """Select the events that are cut; the index keeps their numbers in the run.

    Raises
    ------
    ScanError
        When a column is not there, or no event is left.
    """
    if table.empty:
        raise ScanError("events: the run has none")
    selected = pd.Series(True, table.index)
    for column, values in events.include.items():
        if column not in table:
            raise ScanError(
                f"events: no column {column}, which `include` names (columns: "
                f"{', '.join(map(str, table.columns))})"
            )
        # Numbers of ev files, such as weights, and text of events.tsv alike.
        selected &= table[column].map(_text).isin(values)
    if not selected.any():
        raise ScanError(f"events: none of the {len(table)} of the run is one of `include`")
    return table[selected]


def _text(value: object) -> str | None:
    return f"{value:g}" if isinstance(value, float) else value  # type: ignore[return-value]


def cut(run: Run, table: pd.DataFrame, events: Events) -> Blocks:
    """Cut a run into one block per event.

    Parameters
    ----------
    run : Run
    table : DataFrame
        Of `included`.
    events : Events
        Delay and length of the windows.

    Returns
    -------
    Blocks
    """
    names = [f"{run.row['scan']}_block-{number + 1:02d}" for number in table.index]
    rows, arrays, overlapping, end = list[dict[str, object]](), list[np.ndarray | None](), 0, 0
    for name, onset, duration in zip(names, table["onset"], table["duration"], strict=True):
        row = _row_of_block(run, name) | {"onset": float(onset), "duration": float(duration)}
        try:
            window = window_of(float(onset), float(duration), run, events)
        except ScanError as error:
            rows.append(row | {"status": EXCLUDED, "reason": str(error)})
            arrays.append(None)
            continue
        overlapping, end = overlapping + (window.start < end), max(end, window.stop)
        seconds = (window.stop - window.start) * run.tr
        rows.append(row | {"status": INCLUDED, "reason": "", "seconds": seconds})
        arrays.append(np.ascontiguousarray(run.timeseries_CT[:, window]))
    usable = (row for row in rows if row["status"] == INCLUDED)
    # Fingerprints are of the run, so that its copies are recognised; one row is enough. A run
    # without a usable block may still be pretrained on.
    first = next(usable, rows[0])
    first.update({name: run.row[name] for name in ("fingerprint", *FINGERPRINTS)})
    people = {"participant_id": names, PERSON: str(run.row["participant_id"])}
    described = pd.concat([pd.DataFrame(people, index=table.index), table], axis=1)
    return Blocks(rows, arrays, described.reset_index(drop=True), overlapping)


def _row_of_block(run: Run, name: str) -> dict[str, object]:
    """Row of a block, with what is known of its run."""
    without = dict.fromkeys(("fingerprint", *FINGERPRINTS))
    # What is left after filtering is known of the run only.
    measures = {"seconds": math.nan, "dof": math.nan}
    return {
        **run.row,
        **without,
        **measures,
        "scan": name,
        "participant_id": name,
        PERSON: run.row["participant_id"],
        SOURCE: run.row["scan"],
    }


def window_of(onset: float, duration: float, run: Run, events: Events) -> slice:
    """Return the volumes of a block.

    They are those that begin in the window, and of every window of a length as many: as whole
    volumes fit into it. So the number of volumes does not tell apart trial types.

    Parameters
    ----------
    onset, duration : float
        Of the event, in seconds since the first volume of the scan; NaN if it is not known.
    run : Run
    events : Events

    Raises
    ------
    ScanError
        When the window is not within the run, or too short.
    """
    seconds = duration if events.seconds is None else events.seconds
    if not seconds > 0:
        raise ScanError(
            "the window of the event has no length: its duration is 0 or not known; set "
            "`events.seconds`"
        )
    begin = onset + events.delay - run.start
    first = math.ceil(begin / run.tr - _ROUNDING)
    volumes = math.floor(seconds / run.tr + _ROUNDING)
    if volumes < MIN_VOLUMES:
        raise ScanError(
            f"the window of {seconds:g} s has {volumes} volumes of {run.tr:g} s, at least "
            f"{MIN_VOLUMES} are needed; set `events.seconds`"
        )
    total = run.timeseries_CT.shape[1]
    if first < 0:
        raise ScanError(
            f"the window of the event at {onset:g} s begins {-begin:g} s before the data of the run"
        )
    if first + volumes > total:
        late = (first + volumes - total) * run.tr
        raise ScanError(
            f"the window of the event at {onset:g} s ends {late:g} s after the data of the run"
        )
    return slice(first, first + volumes)
