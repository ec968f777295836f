import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.scores.card.reliability import icc, identification, session_pairs


def test_participants_are_identified_from_their_features() -> None:
    rng = np.random.default_rng(0)
    person = rng.standard_normal((20, 300))
    first, second = (person + 0.5 * rng.standard_normal(person.shape) for _ in range(2))
    assert identification(first, second) == 1
    assert identification(first, rng.standard_normal(person.shape)) < 0.2
    assert np.median(icc(first, second)) == pytest.approx(1 / 1.25, abs=0.05)


def test_first_runs_of_two_sessions_with_the_same_task_are_paired() -> None:
    rows = [
        ("a", "2", "rest", "1"),  # second session
        ("a", "1", "rest", "2"),
        ("a", "1", "rest", "1"),  # first session, first run
        ("a", "3", "rest", "1"),
        ("b", "1", "rest", "1"),  # other task in the second session
        ("b", "2", "nback", "1"),
    ]
    scans = pd.DataFrame(rows, columns=list(SCAN_ENTITIES[1:]))
    assert session_pairs(scans).tolist() == [[2, 0]]


def test_sessions_and_runs_are_paired_in_the_order_of_their_numbers() -> None:
    rows = [("a", session, "rest", run) for session in ("10", "2", "1") for run in ("10", "9")]
    scans = pd.DataFrame(rows, columns=list(SCAN_ENTITIES[1:]))
    assert session_pairs(scans).tolist() == [[5, 3]]
    named = scans.assign(session=[f"wave{name}" for name in scans["session"]])
    assert session_pairs(named).tolist() == [[5, 3]]


def test_features_that_vary_by_rounding_only_have_no_icc() -> None:
    rng = np.random.default_rng(0)
    first, second = (np.float32(0.1) * (1 + 1e-8 * rng.standard_normal((20, 3))) for _ in range(2))
    assert np.isnan(icc(first.astype(np.float32), second.astype(np.float32))).all()
