"""Ids are matched with and without their prefix, and near misses are named."""

from __future__ import annotations

import pytest

from semantoks.errors import UserError
from semantoks.people.ids import as_in_scans


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
