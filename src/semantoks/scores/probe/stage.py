"""Score one representation, or several stacked, against one phenotype."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.representations import read_windows
from semantoks.artifacts.tables import write_table
from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.features import load
from semantoks.scores.probe.problem import read_problem
from semantoks.scores.probe.score import score


def probe(
    representations: Sequence[Path],
    splits: Path,
    name: str,
    settings: Probe,
    out: Path,
    *,
    confounds: Path | None = None,
    column: str | None = None,
    site_column: str | None = None,
) -> list[Path]:
    """Write the scores of one representation, or of several stacked, for one phenotype.

    Parameters
    ----------
    representations : sequence of Path
        One, or those that are stacked.
    splits : Path
    name : str
        What it is called in tables.
    settings : Probe
    out : Path
        Parquet, one row per fit, and what holds for all in its metadata.
    confounds : Path, optional
        The representation that `settings.confounds` regresses out.
    column : str, optional
        Column of the table of people that holds the phenotype, which is no confound of itself.
    site_column : str, optional
        Column with the site, which is no confound of itself either.

    Returns
    -------
    list of Path
        A second table: what was predicted of each person in each split.
    """
    problem, shuffled = read_problem(splits), None
    ids, phenotype = [str(name) for name in problem.people.index], problem.about["phenotype"]
    features = load(representations, confounds, ids, phenotype, column, settings, site_column)
    if settings.protocol == "exact":
        rows, predictions, shuffled = score(problem, features, settings)
    else:
        from semantoks.scores.probe.paper import score_windows

        if len(representations) > 1 or features[0].fitted or confounds is not None:
            raise UserError(
                "`probe.protocol: paper` knows no stacking, no confounds to be regressed out and "
                f"nothing that is fitted first: {name} cannot be scored with it."
            )
        windows = read_windows(representations[0])
        kept = [windows.get(person, features[0].values_PF[[row]]) for row, person in enumerate(ids)]
        rows, predictions = score_windows(problem, kept, settings)
    about = {key: value for key, value in problem.about.items() if key != "splits"}
    metadata = about | {
        "representation": name,
        "people": len(ids),
        "features": sum(one.values_PF.shape[1] for one in features),
        "classes": problem.class_sizes(),
        "p_permutation": shuffled and shuffled.p,
        "shuffled_deviation": shuffled and shuffled.deviation,
        "protocol": settings.protocol,
        "confounds": settings.confounds,
    }
    write_table(out, rows, metadata)
    beside = out.with_name(f"{out.stem}_predictions.parquet")
    write_table(beside, predictions)
    return [beside]
