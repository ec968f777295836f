"""Which rows are scored, and by which protocol."""

from __future__ import annotations

import pytest

from semantoks.config import Probe, row_of_seconds, split_row

NAMES = [
    *("brain", "brain-networks", "brain-full", "brain-coupling_gsr"),
    *("fc", "tangent", "coskewness", "confounds", "chance"),
]


def test_both_protocols_score_what_has_windows_as_they_are() -> None:
    probe = Probe(protocol="both")
    rows = probe.rows_by_paper(NAMES, "classification")
    assert rows == ["brain@paper", "brain-networks@paper", "fc@paper", "confounds@paper"]
    assert probe.rows_by_paper(NAMES, "regression") == []
    assert probe.of_row("fc@paper").protocol == "paper"
    assert probe.of_row("fc").protocol == probe.of_row("brain+fc").protocol == "exact"


@pytest.mark.parametrize("protocol", ["exact", "paper"])
def test_one_protocol_adds_no_rows(protocol: str) -> None:
    probe = Probe.model_validate({"protocol": protocol})
    assert probe.rows_by_paper(NAMES, "classification") == []
    assert probe.of_row("fc") == probe


def test_adding_the_papers_head_changes_no_exact_row() -> None:
    """Settings of a row decide whether it runs again."""
    assert Probe(protocol="both").of_row("fc") == Probe()


def test_rows_of_first_seconds_are_points_of_a_curve_only() -> None:
    probe = Probe(seconds=[120, 60, 60, 90.5])
    assert probe.seconds == [60, 90.5, 120]
    rows = probe.rows_of_seconds(["brain+fc", "fc", "confounds", "chance"])
    assert rows == [f"{name}@{s}s" for name in ("brain+fc", "fc") for s in ("60", "90.5", "120")]
    assert split_row("brain+fc@90.5s") == ("brain+fc", 90.5)
    assert row_of_seconds("confounds", 60) == "confounds" and row_of_seconds("fc", None) == "fc"
    assert split_row("fc@paper") == ("fc@paper", None)
    expected = Probe(seconds=[90.5], permutations=0, learning_curve=[])
    assert probe.of_row("fc@90.5s") == expected
    both = Probe(protocol="both", seconds=[90.5])
    assert both.of_row("fc@90.5s") == expected


def test_adding_seconds_changes_no_other_row() -> None:
    assert Probe(seconds=[60]).of_row("fc") == Probe()
    assert Probe(seconds=[60, 90]).of_row("fc@60s") == Probe(seconds=[60]).of_row("fc@60s")
