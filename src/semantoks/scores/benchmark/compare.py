"""Compare representations that were scored on the same splits of one phenotype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from semantoks.config import PAPER_SUFFIX, Phenotype, split_row
from semantoks.errors import UserError
from semantoks.scores.benchmark.baselines import baseline_of
from semantoks.scores.benchmark.common_splits import (
    Tables,
    fewer_splits,
    fewer_splits_note,
    splits_agree,
    tables_of_rows,
)
from semantoks.scores.benchmark.comparison import (
    Comparison,
    Difference,
    Publication,
    Row,
    SchemeResult,
    Summary,
)
from semantoks.scores.benchmark.curves import learning_curve, with_label_efficiency
from semantoks.scores.benchmark.durations import duration_curves
from semantoks.scores.benchmark.probe_scores import ProbeScores, Task
from semantoks.scores.benchmark.shuffles import (
    MIN_SHUFFLES,
    ShuffledScore,
    shuffled_difference,
)
from semantoks.scores.benchmark.withheld import (
    OF_FINETUNED,
    notes,
    notes_on_absent,
    reason_not_compared,
    without_meaningless,
    without_narrow,
)
from semantoks.scores.choose.choice import CHOSEN
from semantoks.scores.intervals import paired_difference, summary
from semantoks.scores.metrics import RANGES, WITHIN_SITES, with_enough_tested
from semantoks.scores.split.parts import Scheme

SIGNIFICANCE_LEVEL = 0.05


def compare(
    scores: Sequence[ProbeScores],
    dataset: str,
    phenotype: Phenotype | None = None,
    scan_seconds: float | None = None,
    baseline: str | None = None,
) -> Comparison:
    """Compare representations with each other and with the baseline; see `baseline_of`.

    Rows of the paper's head are compared with a baseline by that head.

    Parameters
    ----------
    scores : sequence of ProbeScores
        One per representation. Those of the first seconds of scans are points of curves only.
    dataset : str
        Name of the data set.
    phenotype : Phenotype, optional
        Published scores and their source.
    scan_seconds : float, optional
        Median length of scans, which curves over the length of scans need.
    baseline : str, optional
        What the others are compared with (default: see `baseline_of`).

    Raises
    ------
    UserError
        If the representations were scored on different phenotypes or splits.
    """
    phenotypes = sorted({probe.task.phenotype for probe in scores})
    if len(phenotypes) != 1:
        raise UserError(
            "A benchmark compares representations on exactly one phenotype; these scores are of "
            f"{', '.join(phenotypes) or 'none'}."
        )
    task = _task(scores)
    scores = [replace(probe, rows=with_enough_tested(probe.rows)) for probe in scores]
    durations = duration_curves(scores, task.metrics[0], scan_seconds)
    scores = [probe for probe in scores if split_row(probe.representation)[1] is None]
    schemes = dict.fromkeys(scheme for probe in scores for scheme in probe.rows["scheme"])
    curves = {s.representation: learning_curve(s.rows, task.metrics[0]) for s in scores}
    # Stacked representations are fitted at one fraction only and have no curve.
    curves = {name: curve for name, curve in curves.items() if curve}
    main_baseline = baseline or baseline_of("", {probe.representation for probe in scores})
    publication = None
    if phenotype is not None:
        fields = phenotype.model_dump(mode="json", include=set(Publication.model_fields))
        publication = Publication.model_validate(fields)
    return Comparison(
        dataset=dataset,
        **vars(task),
        metric=task.metrics[0],
        baseline=main_baseline,
        schemes=[_compare_scheme(scheme, scores, task.metrics, baseline) for scheme in schemes],
        curves=with_label_efficiency(curves, main_baseline, _predictive(scores)),
        durations=durations,
        permutation={
            probe.representation: probe.p_permutation
            for probe in scores
            if probe.p_permutation is not None
        },
        publication=publication,
    )


def _task(scores: Sequence[ProbeScores]) -> Task:
    """Take the task of all rows, with the protocol of those of the probe."""
    probed = [probe.task for probe in scores if not probe.task.is_finetuned]
    task = probed[0] if probed else scores[0].task
    if len({task.protocol for task in probed}) > 1:
        return replace(task, protocol="both")
    return task


def _predictive(scores: Sequence[ProbeScores]) -> set[str]:
    """Names of representations that predict the phenotype better than chance."""
    return {
        probe.representation
        for probe in scores
        if probe.p_permutation is not None and probe.p_permutation < SIGNIFICANCE_LEVEL
    }


def _compare_scheme(
    scheme: Scheme,
    scores: Sequence[ProbeScores],
    metrics: Sequence[str],
    baseline: str | None,
) -> SchemeResult:
    """Summarise all representations under one scheme, after a check that the splits agree."""
    scored = [probe for probe in scores if _has_scheme(probe, scheme)]
    tables = {probe.representation: probe.complete_fits(scheme) for probe in scored}
    first = max(tables.values(), key=len)
    # Paired tests subtract row from row, so the order must agree, too.
    if not all(splits_agree(probe, tables, first) for probe in scored):
        raise UserError(
            "The representations were scored on different splits. Run `probe` again for all; under "
            "`probe.protocol: both` every fixed split needs validation participants."
        )
    tables_of = tables_of_rows(tables, metrics)
    # Permutations are made over random or fixed splits, so they say nothing about held-out sites.
    shuffled = {
        probe.representation: np.asarray(probe.shuffled)
        for probe in scored
        if scheme != "site" and probe.shuffled and len(probe.shuffled) >= MIN_SHUFFLES
    }
    results = [
        _row(probe, tables_of[probe.representation], metrics, shuffled, baseline).model_copy(
            update={"splits": fewer_splits(tables[probe.representation], first)}
        )
        for probe in scored
    ]
    withheld = notes(
        _with_features(scored, tables_of),
        results,
        metrics[0],
        baseline=baseline,
        has_shuffles=bool(shuffled),
        needs_shuffles=scored[0].task.needs_shuffles,
    )
    return SchemeResult(
        scheme=scheme,
        splits=len(first),
        held_out=[name for name in first["held_out"] if name],
        train_people=float(first["train_people"].mean()),
        validation_people=max(float(rows["validation_people"].mean()) for rows in tables.values()),
        test_people=float(first["test_people"].mean()),
        representations=results,
        notes=withheld
        + fewer_splits_note({row.representation: row.splits for row in results}, len(first))
        + notes_on_absent([probe for probe in scores if probe not in scored])
        + ([OF_FINETUNED] if any(probe.task.is_finetuned for probe in scored) else []),
    )


def _has_scheme(probe: ProbeScores, scheme: Scheme) -> bool:
    """Whether a row belongs to a scheme; not all rows are made of sites that are left out."""
    may_lack = probe.representation.endswith(PAPER_SUFFIX) or probe.task.is_finetuned
    return not may_lack or len(probe.complete_fits(scheme)) > 0


def _with_features(scores: Sequence[ProbeScores], tables: dict[str, Tables]) -> pd.DataFrame:
    """Fits of the first representation that has features: chance is undefined in every split."""
    names = [probe.representation for probe in scores if probe.features]
    name = names[0] if names else scores[0].representation
    return tables[name][name]


def _row(
    probe: ProbeScores,
    tables: Tables,
    metrics: Sequence[str],
    shuffled: dict[str, np.ndarray],
    baseline: str | None,
) -> Row:
    """Summarise one representation under one scheme, and compare it with the baseline."""
    rows, metric = tables[probe.representation], metrics[0]
    # Who validates does not train, and so the splits of the paper's head overlap more.
    trained = rows["train_people"] - rows["validation_people"]
    test_to_train = float((rows["test_people"] / trained).mean())
    summaries = without_meaningless(_summaries(rows, metrics, test_to_train), probe.features)
    by_shuffles = {
        name: ShuffledScore(metric, float(tables[name][metric].mean()), means_M)
        for name, means_M in shuffled.items()
    }
    if probe.task.needs_shuffles and rows["scheme"].iloc[0] != "site":
        # Never the corrected t, which is too narrow: a column has one kind of interval.
        summaries = without_narrow(summaries, probe.task)
        if score := by_shuffles.get(probe.representation):
            low, high = score.interval()
            summaries[metric] = summaries[metric].model_copy(update={"low": low, "high": high})
    difference, reason = None, None
    baseline = baseline or baseline_of(probe.representation, tables)
    if baseline is not None and probe.representation != baseline:
        pair = by_shuffles.get(probe.representation), by_shuffles.get(baseline)
        values = rows[metric].to_list(), tables[baseline][metric].to_list()
        difference = _difference(baseline, pair, values, test_to_train)
        needs_shuffles = probe.task.needs_shuffles
        reason = reason_not_compared(
            rows, difference, metric, probe.features, needs_shuffles=needs_shuffles
        )
        if reason is not None:
            unknown = dict.fromkeys(("mean", "low", "high", "p"), float("nan"))
            difference = difference.model_copy(update=unknown) if probe.features else None
    return Row(
        representation=probe.representation,
        protocol=probe.task.protocol,
        features=probe.features,
        people_without_features=probe.people_without_features or None,
        metrics=summaries,
        chosen=_times_chosen(rows),
        difference_from_baseline=difference,
        no_verdict=reason,
    )


def _times_chosen(rows: pd.DataFrame) -> dict[str, int] | None:
    """Count in how many splits a row that chooses among others took each."""
    if CHOSEN not in rows:
        return None
    return {str(name): int(count) for name, count in rows[CHOSEN].value_counts().items()}


def _difference(
    baseline: str,
    pair: tuple[ShuffledScore | None, ShuffledScore | None],
    values: tuple[list[float], list[float]],
    test_to_train: float,
) -> Difference:
    """Compare by permutations of both if there are any, else by the corrected t."""
    if pair[0] is not None and pair[1] is not None:
        return shuffled_difference(pair[0], pair[1], baseline)
    # Paired: hard and easy splits are so for both, and their spread cancels out.
    return Difference(baseline=baseline, **paired_difference(*values, test_to_train))


def _summaries(
    rows: pd.DataFrame, metrics: Sequence[str], test_to_train: float
) -> dict[str, Summary]:
    # Without known sites, or with a single one, this correlation is NaN in every split.
    names = list(metrics)
    if WITHIN_SITES in rows and rows[WITHIN_SITES].notna().any():
        names.append(WITHIN_SITES)
    return {
        name: Summary(**summary(rows[name].to_list(), test_to_train, RANGES[name]))
        for name in names
    }
