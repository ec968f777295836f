import re

import pytest

from semantoks.config import Config, Report
from semantoks.report.overlap import HeldOut, Overlap
from semantoks.report.page import p_text, score_text
from tests.unit.report.conftest import page_with


def test_numbers_have_three_decimals_and_a_minus_sign() -> None:
    assert score_text(-0.12345) == "−0.123"
    assert score_text(float("nan")) == "–"
    assert [p_text(p) for p in (0.0001, 0.04, float("nan"))] == ["< 0.001", "0.040", "–"]


def overlap_text(overlap: Overlap, settings: Report) -> str:
    config = Config.model_validate({"datasets": {"d": {"path": "d"}}})
    html = page_with(config, settings, overlaps=[overlap])
    return " ".join(
        re.sub("<[^>]+>", " ", html.partition('id="overlap"')[2].partition("<h2")[0]).split()
    )


@pytest.mark.parametrize(
    ("known", "seen", "sentence"),
    [
        (
            True,
            0,
            "scans, 0 of them under other ids. None of them was seen, by id or by recording.",
        ),
        (True, 9, "Seen all the same: 9 participants by id, 0 participants by recording."),
        (False, 0, "What this checkpoint was pretrained on is not known here."),
    ],
)
def test_the_page_says_who_is_held_out_and_whether_they_were_seen(
    known: bool, seen: int, sentence: str
) -> None:
    row = Overlap("m", "d", known, 12, seen, 0, HeldOut(12, True, 31, 0))
    text = overlap_text(row, Report(participants=True))
    assert "m, d: held out: 12 participants (drawn), and only they are scored." in text
    assert sentence in text
    assert ("31 scans" in text) == known


def test_few_people_who_are_held_out_are_not_counted_exactly() -> None:
    row = Overlap("m", "d", True, 3, 0, 0, HeldOut(3, False, 31, 2))
    text = overlap_text(row, Report())
    assert "held out: fewer than 5 participants (from a file)" in text
    assert "31" not in text and "30 scans" not in text
    row = Overlap("m", "d", True, 12, 0, 0, HeldOut(12, False, 31, 2))
    assert "30 scans, fewer than 5 of them under other ids" in overlap_text(row, Report())
