"""Classes in words."""

from __future__ import annotations

from typing import Any

import pytest

from semantoks.report.classes import class_sizes, classes_text, cut_text
from tests.unit.report.test_published import comparison

QUANTILES = {f"{i + 1} of 10": 10 + i for i in range(10)}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "2: autism, control"),
        ({"kind": "regression", "classes": None}, "a number"),
        (
            {"bins": 10, "classes": QUANTILES},
            "10 classes of a number, cut at quantiles of the training participants",
        ),
        (
            {"bins": 10, "cut": "once", "classes": QUANTILES},
            "10 classes of a number, cut at quantiles of all participants",
        ),
        (
            {"edges": [50], "classes": {"50 and above": 40, "below 50": 60}},
            "2: below 50, 50 and above (a number, cut at fixed edges)",
        ),
    ],
)
def test_classes_are_named_with_how_they_are_cut(changes: dict[str, Any], text: str) -> None:
    task = comparison(**changes)
    assert classes_text(task) == text
    assert cut_text(task) in text


def test_classes_of_numbers_are_in_their_order() -> None:
    """JSON files sort them by name, so that 10 of 10 would stand before 2 of 10."""
    by_name = dict(sorted(QUANTILES.items()))
    assert list(class_sizes(comparison(bins=10, classes=by_name)).items()) == list(
        QUANTILES.items()
    )
    sizes = class_sizes(comparison(edges=[50], classes={"50 and above": 4, "below 50": 6}))
    assert list(sizes.items()) == [("below 50", 6), ("50 and above", 4)]
