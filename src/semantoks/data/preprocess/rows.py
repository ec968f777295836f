"""Typed rows of the status table that this stage writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Literal, TypedDict

import pandas as pd

from semantoks.data.index.shards import RawScan

SUCCEEDED: Literal["ok"] = "ok"
FAILED: Literal["failed"] = "failed"


class Measures(TypedDict, total=False):
    """What an engine measured of a scan; fMRIPrep reports neither of the first two.

    ``dice`` compares the brain mask with the template's, ``correlation`` the T1w image with the
    template; ``mean_fd`` is in mm, ``repetition_time`` in s.
    """

    dice: float
    correlation: float
    mean_fd: float
    n_volumes: int
    repetition_time: float


@dataclass(frozen=True)
class ScanResult:
    """What became of one scan: a row of ``scans.tsv``. None means not measured."""

    scan: str
    participant_id: str
    status: Literal["ok", "failed"]  # `SUCCEEDED` or `FAILED`
    reason: str = ""
    seconds: float | None = None
    dice: float | None = None
    correlation: float | None = None
    mean_fd: float | None = None
    n_volumes: int | None = None
    repetition_time: float | None = None

    @classmethod
    def ok(cls, scan: RawScan, seconds: float, measures: Measures) -> ScanResult:
        """Describe a scan that was preprocessed."""
        return cls(scan.scan, scan.participant_id, SUCCEEDED, "", round(seconds, 2), **measures)

    @classmethod
    def failed(cls, scan: RawScan, reason: str, seconds: float) -> ScanResult:
        """Describe a scan that the engine could not preprocess."""
        return cls(scan.scan, scan.participant_id, FAILED, reason, round(seconds, 2))

    @classmethod
    def unusable(cls, scan: RawScan) -> ScanResult:
        """Describe a scan that no engine was given, because `index` found a problem."""
        return cls(
            scan.scan,
            scan.participant_id,
            FAILED,
            scan.problem,
            repetition_time=scan.repetition_time,
        )


COLUMNS = [field.name for field in fields(ScanResult)]


def status_table(results: Iterable[ScanResult], order: Iterable[str]) -> pd.DataFrame:
    """Tabulate results.

    Parameters
    ----------
    results : iterable of ScanResult
        In any order.
    order : iterable of str
        Scans in the order of the rows.

    Returns
    -------
    DataFrame
        One row per scan, with the columns `COLUMNS`.
    """
    table = pd.DataFrame([asdict(result) for result in results], columns=COLUMNS)
    # Int64 keeps counts integral in a column that has missing values.
    table = table.astype({"n_volumes": "Int64"}).set_index("scan")
    return table.loc[list(order)].reset_index()
