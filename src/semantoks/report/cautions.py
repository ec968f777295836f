"""Cautions in a box on top of a task: reasons to distrust all of its scores."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import pandas as pd

from semantoks.config import PAPER_SUFFIX
from semantoks.report.overlap import Overlap
from semantoks.scores.benchmark.comparison import Comparison
from semantoks.scores.benchmark.withheld import NOT_BY_PAPER
from semantoks.scores.split.schemes.sites import MIN_CLASS, MIN_PART

# With 100 participants, cross-validated accuracies of one method differ by about ±0.1 between
# samples. Source: Varoquaux 2018, doi:10.1016/j.neuroimage.2017.06.061.
FEW_PARTICIPANTS = 100
P = 0.05  # of the permutation test of confounds
UNEVEN_CLASSES = 4  # times as many participants in the largest class as in the smallest
HARDLY_TRAINED = 1.5  # effective rank; 1 means that all embeddings are the same


def cautions(
    comparison: Comparison,
    overlaps: Sequence[Overlap],
    training: Mapping[str, pd.DataFrame],
    *,
    has_sites: bool = False,
    with_confounds: Collection[str] = (),
) -> list[str]:
    """Return sentences for the box of a task; they contain no exact number of participants.

    Parameters
    ----------
    comparison : Comparison
    overlaps : sequence of Overlap
    training : mapping of str to DataFrame
        Training metrics by model, one row per epoch.
    has_sites : bool
        Whether the data set has a column of sites.
    with_confounds : collection of str
        Rows that confounds are combined into.
    """
    return [
        *_of_participants(comparison),
        *_of_confounds(comparison, with_confounds),
        *(_of_sites(comparison) if has_sites else ()),
        *_of_training(comparison, training),
        *_of_overlap(comparison, overlaps),
    ]


def _of_participants(comparison: Comparison) -> Iterator[str]:
    """Warn of few participants, and of few in one class."""
    # The number is rounded where the report protects participants, so 100 may stand for 98.
    people = comparison.people if comparison.persons is None else comparison.persons
    if people <= FEW_PARTICIPANTS:
        yield (
            f"Few participants: with about {FEW_PARTICIPANTS} or fewer, scores differ by 0.1 and "
            "more between samples of the same population, whatever the interval says."
        )
    # Rounded likewise; a class of fewer than 5 counts as `FEW`.
    sizes = list((comparison.classes or {}).values())
    if sizes and max(sizes) >= UNEVEN_CLASSES * min(sizes):
        members = "participants" if comparison.persons is None else "blocks"
        yield (
            f"Uneven classes: the largest has about {UNEVEN_CLASSES} times the {members} of the "
            "smallest, or more. Accuracy and calibration mean little; scores rest on few "
            f"{members}."
        )


def _of_confounds(comparison: Comparison, with_confounds: Collection[str]) -> Iterator[str]:
    """Warn where confounds alone score as high as every row without them, by the first scheme."""
    rows = comparison.schemes[0].representations if comparison.schemes else []
    scores = {row.representation: row.metrics[comparison.metric].mean for row in rows}
    alone = scores.get("confounds", float("nan"))
    holding = {"confounds", *with_confounds}
    scores = {n: mean for n, mean in scores.items() if n.removesuffix(PAPER_SUFFIX) not in holding}
    if scores and alone >= max(scores.values()) and comparison.permutation.get("confounds", 1) < P:
        yield (
            "Confounds alone (what is known of age, sex, site, head motion and scan length) "
            "score at least as high as every representation, so what these predict may be the "
            "confounds. Set probe.confounds to residualise to regress them out."
        )


def _of_sites(comparison: Comparison) -> Iterator[str]:
    """Say why there are no scores of sites that are left out."""
    if comparison.protocol == "paper":
        yield NOT_BY_PAPER
    elif comparison.schemes and all(result.scheme != "site" for result in comparison.schemes):
        yield (
            f"No site is left out, since fewer than two have {MIN_PART} participants (of classes, "
            f"{MIN_CLASS} of each). So no score here is of a site that was not trained on."
        )


def _of_training(comparison: Comparison, training: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    for model, metrics in training.items():
        if not (len(metrics) and _is_scored(model, comparison)):
            continue
        rank = float(metrics.sort_values("epoch")["teacher_effective_rank"].iloc[-1])
        if not rank >= HARDLY_TRAINED:  # NaN, too
            yield (
                f"{model} is hardly trained or has collapsed: the effective rank of its embeddings "
                f"is {rank:.2f} at the end of training, where 1 means that all are the same."
            )


def _of_overlap(comparison: Comparison, overlaps: Sequence[Overlap]) -> Iterator[str]:
    """Warn of models that have seen the tested people, or may have."""
    for overlap in overlaps:
        if overlap.dataset != comparison.dataset or not _is_scored(overlap.model, comparison):
            continue
        if overlap.same_id or overlap.same_scan:
            yield (
                f"{overlap.model} was pretrained on scans of tested participants, so no row of it "
                "shows how it does on participants it has not seen. The key hold_out of the data "
                "set leaves them out of pretraining."
            )
        elif not overlap.known:
            yield (
                f"{overlap.model} is a given checkpoint, whose training data are not known here: "
                "make sure that it was not pretrained on the tested participants."
            )


def _is_scored(model: str, comparison: Comparison) -> bool:
    """Whether a row is of the model: `model`, `model-networks`, `model+fc` or `model@paper`."""
    of_model = re.compile(rf"{re.escape(model)}(-\w+)?(\+\w+)?({PAPER_SUFFIX})?")
    return any(
        of_model.fullmatch(row.representation)
        for scheme in comparison.schemes
        for row in scheme.representations
    )
