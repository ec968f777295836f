"""Compare representations that were scored on the same splits of one phenotype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from semantoks.config import PUBLICATION, Kind, Phenotype
from semantoks.errors import UserError
from semantoks.scores.benchmark.comparison import (
    Comparison,
    Difference,
    Publication,
    Row,
    SchemeResult,
    Summary,
)
from semantoks.scores.benchmark.curves import learning_curve, with_label_efficiency
from semantoks.scores.intervals import paired_difference, summary
from semantoks.scores.metrics import CLASSIFICATION, RANGES, REGRESSION
from semantoks.scores.split.parts import Scheme

BASELINE = "fc"  # Pearson connectivity
WITHIN_SITES = "pearson_r_within_sites"


@dataclass(frozen=True)
class Task:
    """What was predicted, and how; the same for all representations of a comparison.

    Attributes are those of `Comparison`.
    """

    phenotype: str
    kind: Kind
    bins: int | None
    people: int
    classes: dict[str, int] | None
    left_out: dict[str, int]
    protocol: str
    confounds: str

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of this kind of task; representations are compared by the first."""
        return CLASSIFICATION if self.kind == "classification" else REGRESSION


@dataclass(frozen=True)
class ProbeScores:
    """What the stage `probe` wrote for one representation.

    Attributes
    ----------
    task : Task
    representation : str
    features : int
        Number of features.
    p_permutation : float or None
        None if no permutation test was made.
    shuffled_deviation : float or None
        Standard deviation of the mean score over permutations of the phenotype.
    rows : DataFrame
        One row per fit.
    people_without_features : int
        Number of participants of whom the representation knows nothing.
    """

    task: Task
    representation: str
    features: int
    p_permutation: float | None
    shuffled_deviation: float | None
    rows: pd.DataFrame
    people_without_features: int = 0

    def complete_fits(self, scheme: str) -> pd.DataFrame:
        """Return the fits of a scheme with the whole training part, one row per split."""
        of_scheme = (self.rows["scheme"] == scheme) & (self.rows["fraction"] == 1)
        return self.rows[of_scheme].reset_index(drop=True)


def compare(
    scores: Sequence[ProbeScores], dataset: str, phenotype: Phenotype | None = None
) -> Comparison:
    """Compare representations with each other and with the baseline, `BASELINE`.

    Parameters
    ----------
    scores : sequence of ProbeScores
        One per representation.
    dataset : str
        Name of the data set.
    phenotype : Phenotype, optional
        Published scores and their source.

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
    task = scores[0].task
    schemes = dict.fromkeys(scores[0].rows["scheme"])
    curves = {s.representation: learning_curve(s.rows, task.metrics[0]) for s in scores}
    # Stacked and projected representations are fitted at one fraction only and have no curve.
    curves = {name: curve for name, curve in curves.items() if curve}
    publication = None
    if phenotype is not None:
        fields = phenotype.model_dump(mode="json", include=set(PUBLICATION))
        publication = Publication.model_validate(fields)
    return Comparison(
        dataset=dataset,
        **vars(task),
        metric=task.metrics[0],
        schemes=[_compare_scheme(scheme, scores, task.metrics) for scheme in schemes],
        curves=with_label_efficiency(curves, BASELINE),
        permutation={
            probe.representation: probe.p_permutation
            for probe in scores
            if probe.p_permutation is not None
        },
        publication=publication,
    )


def _compare_scheme(
    scheme: Scheme, scores: Sequence[ProbeScores], metrics: Sequence[str]
) -> SchemeResult:
    """Summarise all representations under one scheme, after a check that the splits agree."""
    tables = {probe.representation: probe.complete_fits(scheme) for probe in scores}
    first = next(iter(tables.values()))
    # Paired tests subtract row from row, so the order must agree, too.
    if any(list(rows["split"]) != list(first["split"]) for rows in tables.values()):
        raise UserError(
            "The representations were scored on different splits. Run `probe` again for all."
        )
    test_to_train = float((first["test_people"] / first["train_people"]).mean())
    return SchemeResult(
        scheme=scheme,
        splits=len(first),
        held_out=[name for name in first["held_out"] if name],
        train_people=float(first["train_people"].mean()),
        test_people=float(first["test_people"].mean()),
        representations=[_row(probe, scheme, tables, metrics, test_to_train) for probe in scores],
    )


def _row(
    probe: ProbeScores,
    scheme: Scheme,
    tables: dict[str, pd.DataFrame],
    metrics: Sequence[str],
    test_to_train: float,
) -> Row:
    """Summarise one representation under one scheme, and compare it with the baseline."""
    rows = tables[probe.representation]
    summaries = _summaries(rows, metrics, test_to_train)
    # Permutations are made over random or fixed splits, so they say nothing about held-out sites.
    deviation = probe.shuffled_deviation
    if "pearson_r" in summaries and scheme != "site" and deviation is not None:
        low, high = shuffled_interval(summaries["pearson_r"].mean, deviation)
        update = {"low": low, "high": high}
        summaries["pearson_r"] = summaries["pearson_r"].model_copy(update=update)
    difference = None
    if BASELINE in tables and probe.representation != BASELINE:
        values, baseline = (table[metrics[0]].to_list() for table in (rows, tables[BASELINE]))
        # Paired: hard and easy splits are so for both, and their spread cancels out.
        difference = Difference(**paired_difference(values, baseline, test_to_train))
    return Row(
        representation=probe.representation,
        features=probe.features,
        people_without_features=probe.people_without_features or None,
        metrics=summaries,
        difference_from_fc=difference,
    )


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


def shuffled_interval(mean: float, deviation: float) -> tuple[float, float]:
    """Compute the 95 % interval of a mean correlation from permutations of the phenotype.

    Repeated splits train on participants that others test, so their correlations rise and fall
    together, more than the correction of Nadeau and Bengio assumes: without an effect its 95 %
    intervals cover chance in 88 to 90 % of cases (docs/results.md). The deviation over permutations
    has this dependence in it. A correlation varies less the larger it is, by the factor 1 − r²;
    only the part of r beyond chance enters this factor.

    Parameters
    ----------
    mean : float
        Mean correlation over splits.
    deviation : float
        Standard deviation of that mean over permutations.

    Returns
    -------
    low, high : float
        Within [−1, 1].
    """
    beyond_chance = max(abs(mean) - 1.96 * deviation, 0.0)
    margin = 1.96 * deviation * (1 - beyond_chance**2)
    return max(mean - margin, -1.0), min(mean + margin, 1.0)
