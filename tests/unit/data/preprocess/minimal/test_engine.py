"""The built-in engine shares work by session and survives scans that fail."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from semantoks.config import Preprocessing
from semantoks.data.index.shards import RawScan
from semantoks.data.preprocess.minimal import engine
from semantoks.data.preprocess.rows import Measures
from semantoks.errors import ScanError


class FakeSession:
    """A session in which scan "a" is unusable and scan "b" makes a library fail."""

    def __init__(self, *arguments: object) -> None:
        pass

    def preprocess(self, scan: RawScan) -> Measures:
        if scan.scan == "a":
            raise ScanError("no brain")
        if scan.scan == "b":
            raise ZeroDivisionError("division by zero")
        return {"dice": 0.9, "n_volumes": 24}


class KilledSession(FakeSession):
    """A session whose process is killed at scan "b"."""

    def preprocess(self, scan: RawScan) -> Measures:
        if scan.scan == "b":
            os.kill(os.getpid(), signal.SIGKILL)
        return {"n_volumes": 24}


def test_a_killed_process_costs_one_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "Session", KilledSession)
    scans = [RawScan(name, "sub-01", t1w="t1w.nii") for name in "abc"]
    scans += [RawScan(name, f"sub-{name}", t1w=f"{name}.nii") for name in "defg"]
    results = engine.preprocess_with_minimal(scans, tmp_path, tmp_path, Preprocessing(), threads=2)
    reasons = {result.scan: result.reason for result in results}
    assert sorted(reasons) == list("abcdefg")
    assert reasons.pop("b").startswith("its process was killed, most likely for lack of memory")
    assert not any(reasons.values())


def test_a_failed_scan_does_not_affect_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "Session", FakeSession)
    scans = [RawScan(name, "sub-01", bold=f"{name}.nii", t1w="t1w.nii") for name in "abc"]
    results = engine.preprocess_session(scans, tmp_path, tmp_path, Preprocessing())
    assert [result.status for result in results] == ["failed", "failed", "ok"]
    assert results[0].reason == "no brain"
    assert results[1].reason == "ZeroDivisionError: division by zero"
    assert (results[2].dice, results[2].n_volumes) == (0.9, 24)


def test_scans_of_a_t1w_image_are_a_session_and_scans_without_are_alone() -> None:
    t1w = {"a": "x", "b": "", "c": "x", "d": ""}
    scans = [RawScan(name, "sub-01", bold=f"{name}.nii", t1w=t1w[name]) for name in t1w]
    sessions = [[scan.scan for scan in session] for session in engine._by_session(scans)]
    assert sessions == [["a", "c"], ["b"], ["d"]]
