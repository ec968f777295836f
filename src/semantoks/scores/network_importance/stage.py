"""Measure what a score loses without each network, and without each pair of networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.files import atomic, read_json
from semantoks.artifacts.representations import read_participant_features
from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.artifacts.timeseries import read_manifest
from semantoks.config import ConfoundColumns
from semantoks.scores.network_importance.columns import column_networks
from semantoks.scores.network_importance.losses import METRICS, losses_by_split
from semantoks.scores.network_importance.settings import NetworkImportanceSettings
from semantoks.scores.network_importance.summary import summarise
from semantoks.scores.probe.alignment import (
    count_without_features,
    features_of,
    read_confounds,
    who_has_features,
)
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem, TaskMetadata
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.probe.sites import sites_to_harmonize


def network_importance(
    settings: NetworkImportanceSettings,
    *,
    features: Path,
    splits: Path,
    networks: Path,
    representation: str,
    out: Path,
    config: Path | None = None,
    confounds: Sequence[Path] = (),
) -> list[Path]:
    """Write what a score loses without each network.

    Parameters
    ----------
    settings : NetworkImportanceSettings
    features : Path
        Representation.
    splits : Path
        Table of splits of the phenotype.
    networks : Path
        A file of the time series that the representation was made from; its manifest says which
        network each region belongs to.
    representation : str
        Its name in tables.
    out : Path
        TSV, one row per scheme and network or pair of networks; see `summarise`.
    config : Path, optional
        ``config.json`` of the model, whose networks and their order are taken then.
    confounds : sequence of Path
        The representation that `Probe.confounds` regresses out, if any.

    Returns
    -------
    list of Path
        `out`, and the scores of each split.

    Raises
    ------
    UserError
        If the features do not fit the networks, or too many participants have none.
    """
    table = read_table(splits).set_index("participant_id")
    problem = Problem(TaskMetadata.from_json(read_metadata(splits)), table)
    loaded = _read_features(problem, features, confounds, settings)
    count_without_features(who_has_features([loaded]), representation)
    model = read_json(config) if config else {}
    columns = column_networks(
        settings.content,
        loaded.blocks,
        # The last column of a covariance that is still to be projected is its shrinkage.
        loaded.values_PF.shape[1] - (1 if loaded.projection else 0),
        # `allow_mismatch` lets a model have other networks than the time series.
        model.get("networks") or read_manifest(networks).networks,
        model.get("network_order", ()),
    )
    rows = losses_by_split(problem, loaded, settings.probe, list(columns.parts()))
    metric = METRICS[problem.metadata.kind]
    by_split = out.with_name(f"{out.stem}_splits.parquet")
    write_table(by_split, rows, {"metric": metric, "representation": representation})
    with atomic(out) as temporary:
        summarise(rows, metric).to_csv(temporary, sep="\t", index=False, na_rep="n/a")
    return [out, by_split]


def _read_features(
    problem: Problem,
    path: Path,
    confounds: Sequence[Path],
    settings: NetworkImportanceSettings,
) -> Features:
    """Read the representation of the participants, as the probe does."""
    phenotype = problem.metadata.phenotype
    as_probe = ProbeSettings(
        probe=settings.probe.of_importance(),
        columns={phenotype: settings.column},
        **settings.model_dump(include=set(ConfoundColumns.model_fields)),
    )
    (features,) = features_of(
        [read_participant_features(path)],
        read_confounds(settings.probe, confounds),
        problem.ids,
        as_probe.targets_among_features(phenotype),
        sites_to_harmonize(problem, as_probe),
    )
    return features
