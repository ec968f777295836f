"""Score one representation, or several stacked, against one phenotype."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.representations import read_windows
from semantoks.artifacts.tables import write_table
from semantoks.errors import UserError
from semantoks.scores.probe.features import load
from semantoks.scores.probe.problem import read_problem
from semantoks.scores.probe.score import score
from semantoks.scores.probe.settings import ProbeSettings


def probe(
    settings: ProbeSettings,
    *,
    features: Sequence[Path],
    splits: Path,
    representation: str,
    out: Path,
    confounds: Sequence[Path] = (),
) -> list[Path]:
    """Write the scores of one representation, or of several stacked, for one phenotype.

    Parameters
    ----------
    settings : ProbeSettings
    features : sequence of Path
        One representation, or those that are stacked.
    splits : Path
    representation : str
        What it is called in tables.
    out : Path
        Parquet, one row per fit, and what holds for all in its metadata.
    confounds : sequence of Path
        The representation that `Probe.confounds` regresses out, if any.

    Returns
    -------
    list of Path
        `out`, and a second table: what was predicted of each person in each split.
    """
    problem, shuffled = read_problem(splits), None
    ids, phenotype = [str(name) for name in problem.people.index], problem.about["phenotype"]
    removed = next(iter(confounds), None)
    loaded = load(
        features, removed, ids, phenotype, settings.column, settings.probe, settings.site_column
    )
    if settings.probe.protocol == "exact":
        rows, predictions, shuffled = score(problem, loaded, settings.probe)
    else:
        from semantoks.scores.probe.paper import score_windows

        if len(features) > 1 or loaded[0].fitted or confounds:
            raise UserError(
                "`probe.protocol: paper` knows no stacking, no confounds to be regressed out and "
                f"nothing that is fitted first: {representation} cannot be scored with it."
            )
        windows = read_windows(features[0])
        kept = [windows.get(person, loaded[0].values_PF[[row]]) for row, person in enumerate(ids)]
        rows, predictions = score_windows(problem, kept, settings.probe)
    about = {key: value for key, value in problem.about.items() if key != "splits"}
    metadata = about | {
        "representation": representation,
        "people": len(ids),
        "features": sum(one.values_PF.shape[1] for one in loaded),
        "classes": problem.class_sizes(),
        "p_permutation": shuffled and shuffled.p,
        "shuffled_deviation": shuffled and shuffled.deviation,
        "protocol": settings.probe.protocol,
        "confounds": settings.probe.confounds,
    }
    write_table(out, rows, metadata)
    beside = out.with_name(f"{out.stem}_predictions.parquet")
    write_table(beside, predictions)
    return [out, beside]
