"""Classes of numbers between fixed edges, such as ages below 50, 50 to below 60, and above.

A value that equals an edge belongs to the class above it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise


def interval_names(edges: Sequence[float]) -> list[str]:
    """Name the classes between ascending edges, one more than there are edges."""
    texts = [f"{edge:.15g}" for edge in edges]
    between = [f"{low} to below {high}" for low, high in pairwise(texts)]
    return [f"below {texts[0]}", *between, f"{texts[-1]} and above"]


def interval_name(value: float, edges: Sequence[float]) -> str:
    """Name the class of a value."""
    return interval_names(edges)[bisect_right(edges, value)]


def quantile_names(bins: int) -> list[str]:
    """Name classes that are cut at quantiles, from the lowest."""
    return [f"{number + 1} of {bins}" for number in range(bins)]
