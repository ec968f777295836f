"""Which rows are scored, and by which protocol."""

from __future__ import annotations

import pytest

from semantoks.config import Probe

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
