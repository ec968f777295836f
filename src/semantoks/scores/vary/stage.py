"""Write the scores of a phenotype in each variant, compared with those of the main analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from semantoks.artifacts.files import read_json, write_json
from semantoks.artifacts.tables import read_table
from semantoks.config.sharing import MARK
from semantoks.scores.benchmark.comparison import Comparison
from semantoks.scores.benchmark.stage import read_scores
from semantoks.scores.vary.contents import FromMain, Variant, Varied
from semantoks.scores.vary.differences import ScoredRow, difference_from_main, who_is_tested
from semantoks.scores.vary.settings import VarySettings

Files = Mapping[tuple[str, str], Path]  # by data set and representation


def vary(
    settings: VarySettings, *, benchmarks: Sequence[Path], scores: Sequence[Path], out: Path
) -> list[Path]:
    """Write the comparison of variants with the main analysis.

    Parameters
    ----------
    settings : VarySettings
    benchmarks : sequence of Path
        Comparisons that `benchmark` wrote: of the main analysis, and of each variant.
    scores : sequence of Path
        ``<data set>/<phenotype>/<representation>.parquet`` that `probe` wrote, with predictions
        beside them. Rows of a variant that are not among them are those of the main analysis.
    out : Path
        JSON; see `Varied`.

    Returns
    -------
    list of Path
        `out`.
    """
    main, *others = (Comparison.model_validate(read_json(path)) for path in benchmarks)
    files = {(path.parent.parent.name, path.stem): path for path in scores}
    variants = [_variant(main, comparison, files) for comparison in others]
    write_json(out, Varied(main=main, variants=variants).model_dump())
    return [out]


def _variant(main: Comparison, comparison: Comparison, files: Files) -> Variant:
    """Compare the rows that a variant has scored itself, one in memory at a time."""
    tested, differences = "other", list[FromMain]()
    for name, path in _rows_with_features(comparison, files):
        ours, theirs = _read(files[main.dataset, name]), _read(path)
        tested = who_is_tested(ours, theirs)
        differences += [
            difference_from_main(ours, theirs, scheme.scheme, tested)
            for scheme in comparison.schemes
            if any(row.representation == name for row in scheme.representations)
        ]
    return Variant(
        name=comparison.dataset.partition(MARK)[2],
        comparison=comparison,
        tested=tested,
        differences=differences,
    )


def _rows_with_features(comparison: Comparison, files: Files) -> Iterator[tuple[str, Path]]:
    """Yield each row of a variant that has scores of its own, without chance."""
    rows = {r.representation: r for s in comparison.schemes for r in s.representations}
    for name, row in rows.items():
        path = files.get((comparison.dataset, name))
        if path is not None and row.features:
            yield name, path


def _read(path: Path) -> ScoredRow:
    columns = ["split", "participant_id", "target", "predicted"]
    predictions = read_table(path.with_name(f"{path.stem}_predictions.parquet"), columns)
    return ScoredRow(read_scores(path), predictions)
