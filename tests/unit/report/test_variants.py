"""The section on variants: verdicts per analysis, differences from the main one, and privacy."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantoks.artifacts.files import read_json, write_json
from semantoks.config import Config, Report
from semantoks.report.settings import ReportSettings
from semantoks.report.stage import report
from semantoks.report.variants import rows_of_analyses, variant_sections
from semantoks.scores.benchmark.comparison import Comparison, Difference
from semantoks.scores.vary.contents import FromMain, Variant, Varied
from tests.unit.report.conftest import CONFIG, TASKS

EXACT = Report(participants=True)


def read(results: Path, phenotype: str) -> Comparison:
    return Comparison.model_validate(read_json(results / f"{phenotype}.json"))


@pytest.fixture
def varied(results: Path) -> Varied:
    """A variant with another score of connectivity, and one with other splits."""
    main = read(results, "group")
    numbers = {"mean": -0.0123, "low": -0.1234, "high": 0.0987, "p": 0.02}
    changed = FromMain(
        scheme="random",
        representation="fc",
        splits=3,
        difference=Difference(baseline="main analysis", **numbers),
    )
    narrow = main.model_copy(update={"dataset": "toy~narrow"})
    seed = main.model_copy(update={"dataset": "toy~seed", "people": 22})
    other = FromMain(
        scheme="random", representation="fc", splits=0, difference=None, no_verdict="others"
    )
    return Varied(
        main=main,
        variants=[
            Variant(name="narrow", comparison=narrow, tested="same", differences=[changed]),
            Variant(name="seed", comparison=seed, tested="other", differences=[other]),
        ],
    )


def test_each_row_has_a_cell_per_variant(varied: Varied) -> None:
    (section,) = variant_sections([varied], [varied.main], EXACT)
    table = section.tables[0]
    assert table.scheme == "random" and {r.representation for r in table.rows} == {
        "fc",
        "confounds",
    }
    fc, confounds = (
        next(row for row in table.rows if row.representation == name)
        for name in ("fc", "confounds")
    )
    narrow, seed = fc.variants["narrow"], fc.variants["seed"]
    assert narrow.difference and narrow.difference.mean == -0.0123
    assert narrow.p_holm == 0.02 and not narrow.is_shared
    assert seed.difference is None and seed.no_verdict == "others"
    assert all(cell.is_shared for cell in confounds.variants.values())
    assert (fc.main.verdict, fc.agreement) == ("baseline", "")
    assert confounds.main.verdict == confounds.variants["seed"].verdict


def test_p_values_are_adjusted_over_variants_and_phenotypes(varied: Varied) -> None:
    (difference,) = varied.variants[0].differences
    second = varied.variants[0].model_copy(update={"name": "b", "differences": [difference]})
    both = varied.model_copy(update={"variants": [varied.variants[0], second]})
    (section,) = variant_sections([both], [varied.main], EXACT)
    row = next(row for row in section.tables[0].rows if row.representation == "fc")
    assert [cell.p_holm for cell in row.variants.values()] == [0.04, 0.04]


def above(comparison: Comparison, p: float) -> Comparison:
    """Return a comparison in which confounds are above connectivity."""
    scheme = comparison.schemes[0]
    difference = Difference(baseline="fc", mean=0.2, low=0.1, high=0.3, p=p)
    update = {"difference_from_baseline": difference, "no_verdict": None}
    rows = [
        row.model_copy(update=update) if row.representation == "confounds" else row
        for row in scheme.representations
    ]
    scheme = scheme.model_copy(update={"representations": rows})
    # By the permutations of these data, confounds are not above chance.
    return comparison.model_copy(update={"schemes": [scheme], "permutation": {}})


def test_a_variant_of_one_phenotype_leaves_the_others_as_they_are(varied: Varied) -> None:
    """p of the second is adjusted for the phenotypes of the main analysis, not of the variant."""
    first = above(varied.main, 0.001)
    second = above(varied.main, 0.03).model_copy(update={"phenotype": "second"})
    narrow = varied.variants[0]
    narrow = narrow.model_copy(update={"comparison": above(narrow.comparison, 0.9)})
    judged = rows_of_analyses([Varied(main=first, variants=[narrow])], [first, second])
    # Of the phenotypes of the variant, 0.03 is the smallest p and would become 0.06.
    assert judged["toy", "second", "random"]["confounds"].p_holm == 0.03
    assert judged["toy~narrow", "group", "random"]["confounds"].p_holm == 0.9


def test_agreement_counts_the_variants_with_the_verdict_of_the_main_analysis(
    varied: Varied,
) -> None:
    main = above(varied.main, 0.001)
    narrow, seed = (
        variant.model_copy(update={"comparison": above(variant.comparison, p)})
        for variant, p in zip(varied.variants, (0.002, 0.3), strict=True)
    )
    (section,) = variant_sections([Varied(main=main, variants=[narrow, seed])], [main], EXACT)
    row = next(row for row in section.tables[0].rows if row.representation == "confounds")
    assert row.main.verdict == "above baseline" and row.agreement == "1 of 2"


def test_numbers_are_rounded_where_participants_are_protected(varied: Varied) -> None:
    (section,) = variant_sections([varied], [varied.main], Report())
    assert section.main.people == 25 and section.variants[1].comparison.people == 20
    difference = section.variants[0].differences[0].difference
    assert difference is not None and difference.mean != -0.0123


@pytest.mark.parametrize("shown", [EXACT, Report()])
def test_the_page_has_the_section(
    results: Path, varied: Varied, tmp_path: Path, shown: Report
) -> None:
    write_json(tmp_path / "group.json", varied.model_dump())
    settings = ReportSettings(report=shown, config=Config.model_validate(CONFIG))
    benchmarks = [results / f"{phenotype}.json" for phenotype in TASKS]
    out = tmp_path / "index.html"
    report(
        settings,
        benchmarks=benchmarks,
        scans=[results / "toy.parquet"],
        metrics=[],
        cards=[],
        variants=[tmp_path / "group.json"],
        out=out,
    )
    page = out.read_text()
    assert '<h2 id="variants">Variants</h2>' in page
    assert ("23 participants" in page) == shown.participants
    assert "with splits of its own, so its scores are not compared" in page
    assert "toy~narrow\tgroup" in (tmp_path / "scores.tsv").read_text()
