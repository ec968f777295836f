"""People who are only in the scans, or only in the table, are not used, and that is said."""

from __future__ import annotations

import pandas as pd
import pytest

from semantoks.data.index.people.partners import exclude_unlisted, without_scan
from semantoks.people.ids import NO_ROW

SCANS = pd.DataFrame({"participant_id": ["sub-1", "sub-1", "sub-2"], "problem": ["", "broken", ""]})
PEOPLE = pd.DataFrame({"participant_id": ["sub-2", "sub-3"]})


def test_scans_of_people_who_are_not_in_the_table_are_excluded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("WARNING"):
        scans = exclude_unlisted(SCANS, PEOPLE)
    assert scans["problem"].tolist() == [NO_ROW, "broken", ""]
    assert "2 scan(s) of 1 participant(s) are excluded, also from pretraining" in caplog.text


def test_people_without_a_scan_are_listed(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING"):
        table = without_scan(SCANS, PEOPLE)
    assert table.to_numpy().tolist() == [["sub-3", "no scan"]]
    assert "1 participant(s) left out: no scan" in caplog.text
    assert list(without_scan(SCANS, PEOPLE[:1]).columns) == ["participant_id", "reason"]
