from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    OVER_TIME,
    connectivity_fingerprint,
    temporal_fingerprint,
)
from semantoks.config import Config
from semantoks.report.overlap import HeldOut, overlaps
from tests.conftest import toy_scan


def scan_table(participants: str, timeseries: list[np.ndarray]) -> pd.DataFrame:
    """A scan per participant."""
    return pd.DataFrame(
        {
            "scan": list(participants),
            "participant_id": list(participants),
            "status": "ok",
            "fingerprint": [f"{array.sum():f}" for array in timeseries],
            CONNECTIVITY: [connectivity_fingerprint(array) for array in timeseries],
            OVER_TIME: [temporal_fingerprint(array) for array in timeseries],
            "repetition_time": 2.0,
        }
    )


def test_participants_in_pretraining_are_counted_by_id_and_by_recording(
    caplog: pytest.LogCaptureFixture,
) -> None:
    phenotypes = {"age": "regression"}
    config = Config.model_validate(
        {
            "datasets": {
                "large": {"path": "a"},
                "small": {"path": "b", "phenotypes": phenotypes},
            },
            "models": {
                "both": {},
                "other": {"datasets": ["large"]},
                "random": {"training": {"epochs": 0}},
                "given": {"checkpoint": "model.pth"},
            },
        }
    )
    rng = np.random.default_rng(0)
    arrays = [toy_scan(rng, coherent=bool(i % 2)) for i in range(6)]
    # `u` of the large data set is `z` of the small, a volume shorter and scaled.
    scans = {
        "small": scan_table("xyz", arrays[:3]),
        "large": scan_table("uvw", [3 * arrays[2][:, 1:], *arrays[3:5]]),
    }
    with caplog.at_level(logging.WARNING):
        rows = {row.model: row for row in overlaps(scans, config)}
    assert "small: z and large: u are the same recording" in caplog.text
    counts = {name: (row.participants, row.same_id, row.same_scan) for name, row in rows.items()}
    assert counts.pop("both") == (3, 3, 3)
    assert counts.pop("other") == (3, 0, 1)
    assert counts == dict.fromkeys(["random", "given"], (3, 0, 0))
    assert [name for name, row in rows.items() if not row.known] == ["given"]


def test_whoever_is_held_out_was_not_seen_under_any_name() -> None:
    """`u` of the large data set is the held-out `z` of the small, and `v` is of the same person."""
    content = {
        "datasets": {
            "large": {"path": "a"},
            "small": {"path": "b", "phenotypes": {"age": "regression"}, "hold_out": 1},
        },
        "models": {"both": {}, "other": {"datasets": ["large"]}, "given": {"checkpoint": "m.pth"}},
    }
    rng = np.random.default_rng(0)
    arrays = [toy_scan(rng, coherent=bool(i % 2)) for i in range(7)]
    small = scan_table("xyz", arrays[:3]).assign(held_out=[False, False, True])
    large = scan_table("uvw", [3 * arrays[2][:, 1:], *arrays[3:5]]).assign(held_out=False)
    large["participant_id"] = ["p", "p", "q"]
    scans = {
        "small": small.assign(recording=small["scan"]),
        "large": large.assign(recording=large["scan"]),
    }
    rows = {row.model: row for row in overlaps(scans, Config.model_validate(content))}
    counts = {name: (row.participants, row.same_id, row.same_scan) for name, row in rows.items()}
    assert counts == dict.fromkeys(["both", "other", "given"], (1, 0, 0))
    assert rows["both"].held_out == HeldOut(1, is_drawn=True, scans=3, under_other_ids=2)
    assert rows["other"].held_out == HeldOut(1, is_drawn=True, scans=2, under_other_ids=2)
    assert not rows["given"].known
