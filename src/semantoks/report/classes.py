"""Classes of a phenotype in words, and how they are cut from a number."""

from __future__ import annotations

from collections.abc import Collection

from semantoks.people.intervals import interval_names, quantile_names
from semantoks.scores.benchmark.comparison import Comparison


def cut_text(comparison: Comparison) -> str:
    """Say how a number is cut into classes; empty where the table itself has classes."""
    if comparison.edges:
        return "a number, cut at fixed edges"
    if not comparison.bins:
        return ""
    whose = "all participants" if comparison.cut == "once" else "the training participants"
    return f"a number, cut at quantiles of {whose}"


def class_sizes(comparison: Comparison) -> dict[str, int]:
    """Participants per class, in the order of the numbers where classes are cut from these."""
    sizes = comparison.classes or {}
    return {name: sizes[name] for name in class_order(comparison, sizes) if name in sizes}


def class_order(comparison: Comparison, named: Collection[str]) -> list[str]:
    """Order classes as probabilities of predictions are.

    Parameters
    ----------
    comparison : Comparison
    named : collection of str
        Classes that are no intervals of a number, which are in alphabetical order.
    """
    if comparison.edges:
        return interval_names(comparison.edges)
    return quantile_names(comparison.bins) if comparison.bins else sorted(named)


def classes_text(comparison: Comparison) -> str:
    """Name the classes of a phenotype and say how they are cut.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
        For example ``2: autism, control``; ``a number`` of a regression.
    """
    if comparison.kind == "regression":
        return "a number"
    if comparison.bins:  # classes at quantiles have numbers instead of names
        return f"{comparison.bins} classes of {cut_text(comparison)}"
    names = list(class_sizes(comparison))
    cut = cut_text(comparison)
    return f"{len(names)}: {', '.join(names)}" + (f" ({cut})" if cut else "")
