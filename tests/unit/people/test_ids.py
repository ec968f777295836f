"""Ids are matched with and without their prefix, and near misses are named."""

from __future__ import annotations

import pytest

from semantoks.errors import UserError
from semantoks.people.ids import as_in_scans, hint_on_longer_ids


def test_ids_are_written_as_in_the_scans() -> None:
    assert as_in_scans(["1", "sub-2", "x"], ["sub-1", "2"], "t") == ["sub-1", "2", "x"]


def test_ids_that_are_used_are_no_near_misses() -> None:
    assert as_in_scans(["01", "1"], ["sub-01"], "t") == ["sub-01", "1"]
    with pytest.raises(UserError, match="2 such ids"):
        as_in_scans(["1", "2", "03"], ["sub-01", "sub-02", "sub-03"], "t")


def test_two_forms_of_accents_are_one_id() -> None:
    composed, decomposed = "sub-\u00e9", "sub-e\u0301"
    assert as_in_scans([composed], [decomposed], "t") == [decomposed]
    assert as_in_scans([decomposed], ["\u00e9"], "t") == ["\u00e9"]
    with pytest.raises(UserError, match="NFC and NFD"):
        as_in_scans([composed], [composed, decomposed], "t")
    with pytest.raises(UserError, match="1 such ids"):
        as_in_scans(["E\u0301-1"], ["\u00e91"], "t")


def test_the_key_that_writes_zeros_is_named_where_it_applies() -> None:
    scans = ["0010001", "0010002", "1000804"]
    with pytest.raises(UserError, match="or set `participant_digits: 7`"):
        as_in_scans(["10001", "10002"], scans, "t", is_table=True)
    for known, is_table in ((scans, False), ([*scans, "01"], True)):
        with pytest.raises(UserError, match=r"as text\)\.$"):
            as_in_scans(["10001"], known, "t", is_table=is_table)


def test_the_key_for_ids_with_more_text_is_named() -> None:
    hint = hint_on_longer_ids(["Pitt_0050003_rois_cc200", "Pitt_0050004_rois_cc200"], ["50004"])
    assert "such as Pitt_0050004_rois_cc200 for 50004: set `template`" in hint
    hint = hint_on_longer_ids(["sub-NDARINV1_ses-1_task-rest"], ["NDARINV1"])
    assert "such as sub-NDARINV1_ses-1_task-rest for NDARINV1: set `template`" in hint
    hint = hint_on_longer_ids(["sub-NDARAA075AMK"], ["NDARAA075AMK,assessment"])
    assert "such as NDARAA075AMK,assessment for sub-NDARAA075AMK: set `participant_pat" in hint
    assert hint_on_longer_ids(["sub-01"], ["S99"]) == ""
