"""Numbers that a comparison withholds because they would say something that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from semantoks.config import MIN_TESTED
from semantoks.scores.benchmark.baselines import baseline_of
from semantoks.scores.benchmark.comparison import Difference, Row, Summary
from semantoks.scores.benchmark.probe_scores import ProbeScores, Task
from semantoks.scores.benchmark.shuffles import MIN_SHUFFLES, WHOLE_GROUPS
from semantoks.scores.metrics import CORRELATIONS, MIN_TESTED_FOR_CALIBRATION

# Without features the predicted class is the first of the alphabet, and r is undefined.
MEANINGLESS_OF_CHANCE = ("accuracy", "macro_f1", "ece", *CORRELATIONS)
FROM_SHUFFLES = (
    "Intervals and differences of r come from permutations of the phenotype. Rows without "
    "permutations get neither, because the corrected t is too narrow for r."
)
NO_SHUFFLES = (
    f"r has no interval and no verdict with fewer than {MIN_SHUFFLES} permutations of the "
    "phenotype, or with those within families or people, because the corrected t is too narrow for "
    "r."
)
OF_GROUPS = (
    "Intervals and differences come from permutations of whole people or families, where there are "
    "any; the corrected t is too narrow where several rows share a value."
)
NO_FEATURES = (
    "Chance has no features, so it is not compared. Its r, accuracy, F1 and calibration are not "
    "shown: they would mean nothing."
)
NOT_BY_PAPER = (
    "The paper’s head has no rows here, because it chooses its learning rate on validation "
    "participants, which splits by site do not have."
)
NOT_FINETUNED = (
    "No model is fine-tuned to sites that are left out, unless `finetune.sites` says so."
)
OF_FINETUNED = (
    "Fine-tuned rows have no permutation test: each permutation would have to be trained anew."
)
FEW_SHUFFLES = f"fewer than {MIN_SHUFFLES} permutations of both rows"
CORRECTED_T = f"Differences with {FEW_SHUFFLES} use the corrected t."
FEW_FOR_CALIBRATION = (
    f"The calibration error is not shown with fewer than {MIN_TESTED_FOR_CALIBRATION} test "
    "participants, because it would be far from zero by chance."
)
NO_BASELINE = (
    "Nothing is compared with a baseline, because no connectivity is scored; add `fc` to "
    "`baselines`."
)
UNKNOWN = Summary(**dict.fromkeys(("mean", "sd", "low", "high"), float("nan")))

TOO_FEW_TESTED = f"fewer than {MIN_TESTED} test participants"


def without_meaningless(summaries: Mapping[str, Summary], features: int) -> dict[str, Summary]:
    """Remove the metrics that mean nothing for a representation without features."""
    gone = () if features else MEANINGLESS_OF_CHANCE
    return {name: UNKNOWN if name in gone else value for name, value in summaries.items()}


def without_narrow(summaries: Mapping[str, Summary], task: Task) -> dict[str, Summary]:
    """Remove the intervals of random and fixed splits for which the corrected t is too narrow."""
    is_narrow = set(CORRELATIONS) if task.permuted not in WHOLE_GROUPS else set(summaries)
    unknown = dict.fromkeys(("low", "high"), float("nan"))
    return {
        name: value.model_copy(update=unknown) if name in is_narrow else value
        for name, value in summaries.items()
    }


def reason_not_compared(
    rows: pd.DataFrame,
    difference: Difference,
    metric: str,
    features: int,
    *,
    needs_shuffles: bool,
) -> str | None:
    """Say why a difference from the baseline gets no verdict; None if it gets one."""
    if not features:
        return "has no features"
    if len(rows) < 2:
        return "a single split"
    if rows["test_people"].mean() < MIN_TESTED:
        return TOO_FEW_TESTED
    if int(rows[metric].notna().sum()) < 2:
        return "score not known"
    # False positives of the corrected t: 0.05 for balanced accuracy, about 0.12 for r, and for rows
    # that share their values.
    by_t = difference.method == "corrected t"
    if needs_shuffles and by_t and rows["scheme"].iloc[0] != "site":
        return FEW_SHUFFLES
    return None


def notes(
    rows: pd.DataFrame,
    results: Sequence[Row],
    metric: str,
    *,
    baseline: str | None,
    has_shuffles: bool,
    needs_shuffles: bool,
) -> list[str]:
    """Say in sentences what is withheld under a scheme, and why.

    Parameters
    ----------
    rows : DataFrame
        Fits of a representation, one row per split.
    results : sequence of Row
        Of all representations.
    metric : str
        The metric that they are compared by.
    baseline : str or None
        The row that the others are compared with, if it is given.
    has_shuffles : bool
        Whether a representation has permutations.
    needs_shuffles : bool
        Whether the corrected t is too narrow.
    """
    is_site = rows["scheme"].iloc[0] == "site"
    sentences = []
    if metric == "pearson_r":
        sentences += _notes_on_correlations(rows, "sites" if is_site else "splits")
        # Where r is never computed, nothing is said of its intervals.
        if not is_site and (rows["test_people"] >= MIN_TESTED).any():
            sentences.append(FROM_SHUFFLES if has_shuffles else NO_SHUFFLES)
    elif needs_shuffles and not is_site:
        sentences.append(OF_GROUPS)
    if "ece" in rows and (rows["test_people"] < MIN_TESTED_FOR_CALIBRATION).any():
        sentences.append(FEW_FOR_CALIBRATION)
    if any(not row.features for row in results):
        sentences.append(NO_FEATURES)
    scored = {row.representation for row in results}
    differences = [row.difference_from_baseline for row in results if row.no_verdict is None]
    if any(difference and difference.method == "corrected t" for difference in differences):
        sentences.append(CORRECTED_T)
    if baseline is None and not any(baseline_of(name, scored) for name in scored):
        sentences.append(NO_BASELINE)
    return sentences


def notes_on_absent(absent: Sequence[ProbeScores]) -> list[str]:
    """Say why rows are not there under a scheme."""
    finetuned = [probe.task.is_finetuned for probe in absent]
    return ([NOT_BY_PAPER] if not all(finetuned) else []) + (
        [NOT_FINETUNED] if any(finetuned) else []
    )


def _notes_on_correlations(rows: pd.DataFrame, parts: str) -> list[str]:
    """Count the splits that have no r, by reason."""
    few = rows["test_people"] < MIN_TESTED
    undefined = int((rows["pearson_r"].isna() & ~few).sum())
    sentences = []
    if few.any():
        sentences.append(
            f"r and R² are not computed in {int(few.sum())} of {len(rows)} {parts}, which have "
            f"fewer than {MIN_TESTED} test participants."
        )
    if undefined:
        sentences.append(
            f"r is undefined in {undefined} of {len(rows)} {parts}, where the phenotype or a "
            "prediction is constant. Every mean is over the others."
        )
    return sentences
