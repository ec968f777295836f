"""The built-in engine: sessions are distributed over processes, each writes its derivatives."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from semantoks.config import Preprocessing
from semantoks.data.index.shards import RawScan
from semantoks.data.preprocess.minimal.derivatives import write_description
from semantoks.data.preprocess.minimal.session import Session
from semantoks.data.preprocess.rows import ScanResult
from semantoks.errors import ScanError
from semantoks.system.workers import completed

log = logging.getLogger(__name__)
KILLED = (
    "its process was killed, most likely for lack of memory, also when it ran alone; give the job "
    "more memory"
)


def preprocess_with_minimal(
    scans: Sequence[RawScan], bids: Path, out: Path, settings: Preprocessing, *, threads: int
) -> list[ScanResult]:
    """Preprocess the scans of a shard with the built-in engine.

    Parameters
    ----------
    scans : sequence of RawScan
    bids, out : Path
        Raw data set, and the empty folder for the derivatives.
    settings : Preprocessing
    threads : int
        Number of processes, of one thread each.

    Returns
    -------
    list of ScanResult
        One per scan, in the order in which sessions were completed.
    """
    write_description(out)
    work = partial(preprocess_session, bids=bids, out=out, settings=settings)
    results = list[ScanResult]()
    started = time.monotonic()
    after_kill = partial(_one_by_one, work)
    for session_results in completed(work, _by_session(scans), threads, after_kill):
        results += session_results
        left = (time.monotonic() - started) / len(results) * (len(scans) - len(results))
        log.info("%d of %d scans, about %.0f s left", len(results), len(scans), left)
    return results


def preprocess_session(
    scans: Sequence[RawScan], bids: Path, out: Path, settings: Preprocessing
) -> list[ScanResult]:
    """Preprocess scans that share a T1w image; a scan that fails does not affect the others.

    Parameters
    ----------
    scans : sequence of RawScan
        At least one.
    bids, out : Path
        Raw data set, and the folder for the derivatives.
    settings : Preprocessing

    Returns
    -------
    list of ScanResult
        One per scan, in the same order.
    """
    session = Session(bids, out, scans[0].t1w, settings, scans[0].t1w_name)
    return [_result(session, scan) for scan in scans]


def _result(session: Session, scan: RawScan) -> ScanResult:
    """Preprocess one scan and record how it ended."""
    # CPU time, since wall time depends on the other processes of the machine.
    started = time.process_time()
    try:
        measures = session.preprocess(scan)
    except ScanError as error:
        reason = str(error)
    except Exception as error:  # whatever a library raises on malformed data, continue
        log.exception("%s failed", scan.scan)
        reason = f"{type(error).__name__}: {error}"
    else:
        return ScanResult.ok(scan, time.process_time() - started, measures)
    return ScanResult.failed(scan, reason, time.process_time() - started)


def _one_by_one(
    work: Callable[[Sequence[RawScan]], list[ScanResult]], scans: Sequence[RawScan]
) -> list[ScanResult]:
    """Preprocess the scans of a session whose process was killed in a process each."""
    if len(scans) == 1:
        return [ScanResult.failed(scans[0], KILLED, 0.0)]
    results = completed(work, [[scan] for scan in scans], 1, partial(_one_by_one, work))
    return [result for of_scan in results for result in of_scan]


def _by_session(scans: Iterable[RawScan]) -> list[list[RawScan]]:
    """Group scans by T1w image; a scan without one is a session by itself."""
    sessions: dict[str, list[RawScan]] = {}
    for scan in scans:
        sessions.setdefault(scan.t1w or scan.scan, []).append(scan)
    return list(sessions.values())
