"""Classes of numbers between fixed edges."""

from __future__ import annotations

from semantoks.people.intervals import interval_name, interval_names, quantile_names


def test_an_edge_belongs_to_the_class_above() -> None:
    edges = [-1.5, 0, 1234567]
    names = ["below -1.5", "-1.5 to below 0", "0 to below 1234567", "1234567 and above"]
    assert interval_names(edges) == names
    values = [-2, -1.5, -0.1, 0, 1234566.9, 1234567]
    assert [names.index(interval_name(value, edges)) for value in values] == [0, 1, 1, 2, 2, 3]


def test_quantile_classes_are_numbered_from_the_lowest() -> None:
    assert quantile_names(3) == ["1 of 3", "2 of 3", "3 of 3"]
