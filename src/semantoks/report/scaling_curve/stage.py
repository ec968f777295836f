"""Draw scores against the number of pretraining people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.files import atomic, read_json, write_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.config import name_at, split_fraction
from semantoks.errors import UserError
from semantoks.report.figures.effects import scaling_figure
from semantoks.report.names import METRICS
from semantoks.report.scaling_curve.contents import ScalingCurve, ScalingCurves
from semantoks.report.scaling_curve.fit import scaling_curve as fit_curve
from semantoks.report.scaling_curve.settings import ScalingCurveSettings
from semantoks.scores.metrics import CLASSIFICATION, RANGES, REGRESSION, with_enough_tested


def scaling_curve(
    settings: ScalingCurveSettings,
    *,
    scores: Sequence[Path],
    models: Sequence[Path],
    dataset: str,
    out: Path,
) -> list[Path]:
    """Write and draw the curves of a phenotype.

    Parameters
    ----------
    settings : ScalingCurveSettings
    scores : sequence of Path
        ``<row>.parquet`` that `probe` wrote: of whole models, and of those that were pretrained on
        a part of the people.
    models : sequence of Path
        ``<model>/config.json`` of the latter.
    dataset : str
        Name of the data set in tables.
    out : Path
        JSON; see `ScalingCurves`.

    Returns
    -------
    list of Path
        `out`, and a figure beside it (SVG).

    Raises
    ------
    UserError
        If the models were scored on different splits.
    """
    metadata = read_metadata(scores[0])
    metric = (CLASSIFICATION if metadata["kind"] == "classification" else REGRESSION)[0]
    fits = {path.stem: _complete_fits(path) for path in scores}
    counts = {path.parent.name: read_json(path)["training"] for path in models}
    rows = list(dict.fromkeys(split_fraction(row)[0] for row in fits))
    first = next(iter(fits.values()))
    contents = ScalingCurves(
        dataset=dataset,
        phenotype=metadata["phenotype"],
        metric=metric,
        scheme=first["scheme"].iloc[0],
        test_people=float(first["test_people"].mean()),
        curves={row: _curve(row, fits, counts, metric) for row in rows},
    )
    write_json(out, contents.model_dump())
    figure = out.with_suffix(".svg")
    with atomic(figure) as temporary:
        temporary.write_text(scaling_figure(contents.curves, METRICS[metric]), encoding="utf-8")
    return [out, figure]


def _complete_fits(path: Path) -> pd.DataFrame:
    """Read the fits to whole training parts, of the first scheme of splits."""
    table = with_enough_tested(read_table(path))
    table = table[(table["fraction"] == 1) & (table["scheme"] == table["scheme"].iloc[0])]
    return table.set_index("split")


def _curve(
    row: str,
    fits: Mapping[str, pd.DataFrame],
    counts: Mapping[str, Mapping[str, int]],
    metric: str,
) -> ScalingCurve:
    """Gather the scores of a row at all numbers of people."""
    fractions = sorted(split_fraction(name)[1] for name in fits if split_fraction(name)[0] == row)
    tables = [fits[name_at(row, fraction)] for fraction in fractions]
    if any(not table.index.equals(tables[0].index) for table in tables):
        raise UserError(
            f"{row} was scored on different splits than its parts of the people. Run `probe` again "
            "for all."
        )
    # Names of models have no dash; that of a readout follows it.
    of_parts = [counts[name_at(row.partition("-")[0], f)] for f in fractions if f < 1]
    people = [*(part["people"] for part in of_parts), of_parts[0]["people_of_all"]]
    if len(set(people)) < len(people):
        raise UserError(
            f"Two parts of `scaling` of {row} have the same number of people "
            f"({', '.join(map(str, people))}). Name fractions that differ more."
        )
    scores = np.stack([table[metric].to_numpy(float) for table in tables], axis=1)
    test_to_train = float((tables[0]["test_people"] / tables[0]["train_people"]).mean())
    return fit_curve(people, scores, test_to_train, RANGES[metric])
