"""Sections of the page on variants: whether a finding survives other reasonable choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from semantoks.config import Report
from semantoks.report.rounding import rounded_comparison
from semantoks.report.steps import Steps
from semantoks.report.tasks import NO_VERDICTS, ScoreRow, holm_adjusted, score_rows
from semantoks.scores.benchmark.comparison import Comparison, Difference, SchemeResult, Summary
from semantoks.scores.intervals import holm
from semantoks.scores.vary.contents import FromMain, Variant, Varied

# By data set, phenotype and scheme, then by representation.
RowsOfAnalyses = Mapping[tuple[str, str, str], Mapping[str, ScoreRow]]
PValues = dict[tuple[str, str, str, str, str], float]  # by data set, phenotype and `_keys`


@dataclass(frozen=True)
class Cell:
    """A representation in one analysis.

    Attributes
    ----------
    score : Summary
    verdict : str
        Compared with the baseline of the same analysis.
    p_permutation : float or None
        Whether it predicts the phenotype at all.
    is_shared : bool
        Whether it is the score of the main analysis, because the variant changes nothing in it.
    difference : Difference or None
        From the main analysis.
    p_holm : float or None
        Of that difference.
    no_verdict : str or None
        Why there is no p.
    """

    score: Summary
    verdict: str
    p_permutation: float | None = None
    is_shared: bool = False
    difference: Difference | None = None
    p_holm: float | None = None
    no_verdict: str | None = None


@dataclass(frozen=True)
class VariantRow:
    """A representation in the main analysis, and in each variant by its name."""

    representation: str
    main: Cell
    variants: dict[str, Cell]

    @property
    def agreement(self) -> str:
        """Count the variants with the verdict of the main analysis."""
        if self.main.verdict.startswith(NO_VERDICTS):
            return ""
        same = sum(cell.verdict == self.main.verdict for cell in self.variants.values())
        return f"{same} of {len(self.variants)}"


@dataclass(frozen=True)
class VariantTable:
    """All representations under one scheme of splits."""

    scheme: str
    rows: list[VariantRow]


@dataclass(frozen=True)
class VariantSection:
    """A phenotype in all analyses."""

    main: Comparison
    variants: list[Variant]
    tables: list[VariantTable]


def variant_sections(
    varied: Sequence[Varied], comparisons: Sequence[Comparison], settings: Report
) -> list[VariantSection]:
    """Prepare all phenotypes that a variant changes, with p-values adjusted for their number.

    Parameters
    ----------
    varied : sequence of Varied
    comparisons : sequence of Comparison
        All of the main analysis, rounded already where they must be.
    settings : Report
        Whether numbers of participants, and scores that would tell them, are rounded.
    """
    if not settings.participants:
        varied = [_rounded(phenotype) for phenotype in varied]
    adjusted = _adjusted(varied)
    verdicts = rows_of_analyses(varied, comparisons)
    return [
        VariantSection(
            phenotype.main, phenotype.variants, list(_tables(phenotype, verdicts, adjusted))
        )
        for phenotype in varied
    ]


def _rounded(varied: Varied) -> Varied:
    """Round all comparisons, and the differences in steps of their scores."""
    variants = [
        variant.model_copy(
            update={
                "comparison": (comparison := rounded_comparison(variant.comparison)),
                "differences": [_rounded_row(row, comparison) for row in variant.differences],
            }
        )
        for variant in varied.variants
    ]
    return Varied(main=rounded_comparison(varied.main), variants=variants)


def _rounded_row(row: FromMain, comparison: Comparison) -> FromMain:
    if row.difference is None:
        return row
    scheme = next(s for s in comparison.schemes if s.scheme == row.scheme)
    steps = Steps.of_scheme(scheme, comparison.people).rounded(row.difference, comparison.metric)
    return row.model_copy(update={"difference": row.difference.model_copy(update=steps)})


def _adjusted(varied: Sequence[Varied]) -> PValues:
    """Adjust p of differences from the main analysis by Holm's method.

    A family of tests is one scheme and representation, over all variants and phenotypes.
    """
    families: dict[tuple[str, str], dict[tuple[str, str, str], float]] = {}
    for phenotype in varied:
        for variant in phenotype.variants:
            for row in variant.differences:
                if row.difference is not None:
                    test = (phenotype.main.dataset, phenotype.main.phenotype, variant.name)
                    family = families.setdefault((row.scheme, row.representation), {})
                    family[test] = row.difference.p
    return {
        (*test, *key): p
        for key, family in families.items()
        for test, p in zip(family, holm(list(family.values())), strict=True)
    }


def rows_of_analyses(
    varied: Sequence[Varied | VariantSection], main: Sequence[Comparison]
) -> RowsOfAnalyses:
    """Judge the rows of all analyses.

    Parameters
    ----------
    varied : sequence of Varied or VariantSection
    main : sequence of Comparison
        All of the main analysis.

    Returns
    -------
    mapping
        p-values are adjusted for all phenotypes of the same analysis.
    """
    of_main = {(c.dataset, c.phenotype): c for c in main}
    analyses = {"": of_main}
    for phenotype in varied:
        for variant in phenotype.variants:
            # What a variant does not change belongs to it all the same.
            analysis = analyses.setdefault(variant.name, dict(of_main))
            analysis[phenotype.main.dataset, phenotype.main.phenotype] = variant.comparison
    return {
        (comparison.dataset, comparison.phenotype, scheme.scheme): {
            row.representation: row for row in score_rows(scheme, comparison, p_values)
        }
        # The main analysis last: what variants leave unchanged is adjusted as on its own.
        for analysis in reversed(analyses.values())
        for comparison, p_values in zip(
            analysis.values(), holm_adjusted([*analysis.values()]), strict=True
        )
        for scheme in comparison.schemes
    }


def _tables(varied: Varied, verdicts: RowsOfAnalyses, adjusted: PValues) -> Iterator[VariantTable]:
    """Yield a table of each scheme, representations in the order of the main analysis."""
    main = varied.main
    for scheme in main.schemes:
        rows = [
            VariantRow(
                name,
                Cell(row.score, row.verdict, row.p_permutation),
                {
                    variant.name: cell
                    for variant in varied.variants
                    if (cell := _cell(variant, scheme, name, verdicts, main, adjusted))
                },
            )
            for name, row in verdicts[main.dataset, main.phenotype, scheme.scheme].items()
            if name != "chance"
        ]
        yield VariantTable(scheme.scheme, rows)


def _cell(
    variant: Variant,
    scheme: SchemeResult,
    name: str,
    verdicts: RowsOfAnalyses,
    main: Comparison,
    adjusted: PValues,
) -> Cell | None:
    """Gather what is shown of a representation in a variant; None if it was not scored there."""
    analysis = verdicts.get((variant.comparison.dataset, main.phenotype, scheme.scheme), {})
    if name not in analysis:
        return None
    row = analysis[name]
    known = row.score, row.verdict, row.p_permutation
    for part in variant.differences:
        if (part.scheme, part.representation) == (scheme.scheme, name):
            key = (main.dataset, main.phenotype, variant.name, part.scheme, name)
            return Cell(*known, False, part.difference, adjusted.get(key), part.no_verdict)
    return Cell(*known, is_shared=True)
