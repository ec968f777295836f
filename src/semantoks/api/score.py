"""Score features against a phenotype without Snakemake: `semantoks.score`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from semantoks.api.checks import (
    require_classes,
    require_columns,
    require_no_residuals,
    require_options,
)
from semantoks.api.features import (
    ID,
    MAIN,
    Features,
    by_participant,
    entities_of,
    finite_as_stored,
    is_series,
    once_each,
    require_known,
    require_names,
    series_files,
    with_ids,
    without_codes,
)
from semantoks.artifacts.representations import read_scan_entities, write_representation
from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import INCLUDED
from semantoks.config import Kind
from semantoks.config.validation import validated
from semantoks.errors import UserError
from semantoks.people.ids import as_in_scans
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.comparison import Comparison, Row, SchemeResult
from semantoks.scores.benchmark.stage import read_scores
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.probe.stage import probe as run_probe
from semantoks.scores.represent.settings import RepresentSettings
from semantoks.scores.represent.stage import represent
from semantoks.scores.split.settings import SplitSettings
from semantoks.scores.split.stage import split

PERMUTATIONS = 1000


def score(
    features: Features,
    people: pd.DataFrame,
    phenotype: str,
    *,
    kind: Kind,
    baselines: Mapping[str, Features | str | Path | Sequence[str | Path]] | None = None,
    site: str | None = None,
    family: str | None = None,
    missing_values: Collection[object] = (),
    repeats: int = 10,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    probe: Mapping[str, Any] | None = None,
    splits: Mapping[str, Any] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Score features beside baselines over the same splits, by the stages of the workflow.

    Nothing that is fitted sees a test participant. Whether the model was pretrained on the people
    cannot be seen from features; scores of people it has seen may be too high.

    Parameters
    ----------
    features : DataFrame or ndarray, shape (scans or participants, features)
        A table as `TrainedModel.embed` returns it, or with participant ids as index or as the
        column ``participant_id``; several scans of a participant are averaged. Or an array with the
        rows of `people`. A feature that is NaN or infinite counts as not known, and takes the mean
        of the training part.
    people : DataFrame
        One row per participant, with ``participant_id`` as a column or as the index.
    phenotype : str
        Column of `people`.
    kind : {"classification", "regression"}
    baselines : mapping of str to DataFrame, ndarray, path or list of paths, optional
        Features by name. Or Parquet files of time series, or their folder, of which the workflow's
        baseline of this name is made: ``{"fc": "results/timeseries/study"}``, likewise ``fc_gsr``,
        ``tangent``, ``tangent_gsr``, ``tangent_rbf``, ``partial``, ``coskewness`` and
        ``confounds``. The others are compared with the first.
    site : str, optional
        Column of the site; adds scores of sites that are left out.
    family : str, optional
        Column of the family, which stays in a part of a split as a whole.
    missing_values : collection of str or float, optional
        Codes for missing values in `people`, such as ``[-9999]``.
    repeats : int
        Number of random splits.
    permutations : int
        Of the phenotype, for its p; regressions have intervals with 99 or more only.
    seed : int
        Of the splits.
    probe, splits : mapping, optional
        Other keys of ``probe`` and ``splits`` in a configuration, such as ``{"harmonize":
        "combat"}`` and ``{"test_fraction": 0.3}``. Confounds are regressed out by the workflow
        only.
    **options
        Other keys of a phenotype in a configuration, such as ``bins=2`` or ``values={"1": "f"}``.

    Returns
    -------
    DataFrame
        One row per representation and scheme (``random``, ``site``): ``metric``, ``mean`` over the
        splits, ``low`` and ``high`` of its 95 % interval, ``p`` of the permutation test;
        ``difference`` from the first baseline, with ``difference_low``, ``difference_high`` and
        ``difference_p``; ``remark``, why a number is withheld. ``attrs`` has ``baseline``,
        ``people``, ``classes``, ``left_out`` and ``notes``.

    Raises
    ------
    UserError
        If features, people or settings do not fit each other, or the phenotype cannot be scored.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semantoks
    >>> rng = np.random.default_rng(0)
    >>> ids = [f"sub-{number}" for number in range(60)]
    >>> people = pd.DataFrame({"participant_id": ids, "age": rng.uniform(20, 80, 60)})
    >>> embedding = pd.DataFrame(people[["age"]].to_numpy() + rng.normal(0, 20, (60, 3)), ids)
    >>> table = semantoks.score(
    ...     embedding,
    ...     people,
    ...     "age",
    ...     kind="regression",
    ...     baselines={"noise": rng.normal(size=(60, 3))},
    ...     repeats=2,
    ...     permutations=99,
    ... )
    >>> table.loc["random", "mean"].round(1).to_dict()
    {'features': 0.9, 'noise': 0.0}
    """
    require_options(options, baselines, signature(score).parameters)
    require_no_residuals(probe)
    given: dict[str, Any] = {MAIN: features, **(baselines or {})}
    require_names(given, 1 + len(baselines or {}))
    people = without_codes(with_ids(people), missing_values)
    require_columns(people, site=site, family=family)
    if kind == "classification" and not {"bins", "edges", "values", "column"} & {*options}:
        require_classes(people, phenotype)
    split_settings = {
        "name": phenotype,
        "phenotype": {"kind": kind, **options},
        "site_column": site,
        "group_column": family,
        "splits": {"seed": seed, **(splits or {})},
    }
    numbers = {"repeats": repeats, "permutations": permutations, "learning_curve": []}
    probe_settings = {
        "probe": numbers | dict(probe or {}),
        "columns": {phenotype: options.get("column")},
        "site_column": site,
    }
    checked = validated(SplitSettings, split_settings, "score")
    probed = validated(ProbeSettings, probe_settings, "score")
    with TemporaryDirectory(prefix="semantoks-") as folder:
        work = _Work(Path(folder), people)
        files = {name: work.representation(name, given[name], site) for name in given}
        drawn = work.splits(checked, files)
        rows = [work.scored(name, file, drawn, probed) for name, file in files.items()]
        baseline = next(iter(baselines or ()), None)
        comparison = compare([read_scores(row) for row in rows], "score", baseline=baseline)
    return _table(comparison)


class _Work:
    """The files of a call, which the stages read and write.

    Parameters
    ----------
    folder : Path
        Temporary.
    people : DataFrame
        With the column ``participant_id``.
    """

    def __init__(self, folder: Path, people: pd.DataFrame) -> None:
        self.folder, self.people = folder, people

    def representation(self, name: str, features: Any, site: str | None) -> Path:
        """Write features, or the workflow's baseline of time series."""
        out = self.folder / f"{name}.parquet"
        if not is_series(features):
            table = by_participant(name, features, self.people)
            values = finite_as_stored(name, table.to_numpy(float))
            write_representation(out, entities_of(table.index), values)
            return out
        series = series_files(features)
        settings = validated(RepresentSettings, {"site_column": site}, "score")
        table = self._participants(pd.concat([read_scan_entities(file)[ID] for file in series]))
        represent(settings, representation=name, timeseries=series, participants=table, out=out)
        return out

    def splits(self, settings: SplitSettings, files: Mapping[str, Path]) -> Path:
        """Draw the splits of those whom all representations have."""
        scans, *others = (read_scan_entities(file) for file in files.values())
        for table in others:
            scans = scans[scans[ID].isin(table[ID])]
        if scans.empty:
            raise UserError(
                f"No participant is in all of {', '.join(files)}. Give features of the same people."
            )
        scans = scans.assign(status=INCLUDED, reason="", recording=scans[ID])
        table, out = self.folder / "scans", self.folder / "splits"
        write_table(table, scans)
        participants = self._participants(scans[ID])
        split(settings, participants=participants, scans=table, out=out)
        return out

    def scored(self, name: str, file: Path, splits: Path, settings: ProbeSettings) -> Path:
        """Score a representation."""
        out = self.folder / f"{name}.scores"
        run_probe(settings, features=[file], splits=[splits], representation=name, out=out)
        return out

    def _participants(self, known: pd.Series) -> Path:
        """Write the table of people with their ids as the scans have them."""
        ids = as_in_scans(list(self.people[ID]), set(known), "`people`")
        require_known(ids, known)
        out = self.folder / "participants"
        write_table(out, once_each(self.people.assign(**{ID: ids}), known))
        return out


def _table(comparison: Comparison) -> pd.DataFrame:
    """Return the comparison as a table."""
    lines = [
        _line(comparison, scheme, row)
        for scheme in comparison.schemes
        for row in scheme.representations
    ]
    table = pd.DataFrame(lines).set_index(["scheme", "representation"])
    table.attrs = {
        "baseline": comparison.baseline,
        "people": comparison.people,
        "classes": comparison.classes,
        "left_out": comparison.left_out,
        "notes": [note for scheme in comparison.schemes for note in scheme.notes],
    }
    return table


def _line(comparison: Comparison, scheme: SchemeResult, row: Row) -> dict[str, object]:
    """Return a row of the table."""
    summary, difference = row.metrics[comparison.metric], row.difference_from_baseline
    # Permutations are made over random or fixed splits; without a score, p is of another metric.
    is_tested = scheme.scheme != "site" and not np.isnan(summary.mean)
    p = comparison.permutation.get(row.representation) if is_tested else None
    line: dict[str, object] = {
        "scheme": scheme.scheme,
        "representation": row.representation,
        "metric": comparison.metric,
        "mean": summary.mean,
        "low": summary.low,
        "high": summary.high,
        "p": np.nan if p is None else p,
    }
    names = ("mean", "low", "high", "p")
    values = (getattr(difference, name) if difference else np.nan for name in names)
    columns = ("difference", *(f"difference_{name}" for name in names[1:]))
    line |= dict(zip(columns, values, strict=True))
    return line | {"remark": scheme.remark(row, comparison.metric)}
