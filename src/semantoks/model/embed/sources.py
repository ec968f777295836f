"""Load what blocks are read from, and check that it fits the time series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from semantoks.artifacts.excerpts import first_seconds
from semantoks.artifacts.tables import open_parquet, read_table
from semantoks.artifacts.timeseries import AMPLITUDE, Manifest, iter_scans, read_manifest
from semantoks.config import OF_CONNECTOME, OF_ENCODER
from semantoks.errors import UserError
from semantoks.model.embed.coupling import Coupling, references_by_site
from semantoks.model.embed.readouts import Readouts
from semantoks.model.embed.regional import band_edges
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.files.checkpoint import CONFIG, load_encoder, read_description
from semantoks.model.files.connectome import Connectome, load_connectome
from semantoks.model.files.match import require_fit, require_match
from semantoks.people.columns import find_column, listed

Manifests = dict[Path, Manifest]


def open_readouts(
    settings: EmbedSettings,
    model: Path,
    timeseries: Sequence[Path],
    connectome: Path | None,
    participants: Path | None,
) -> Readouts:
    """Load what the blocks of the settings need; parameters and errors as for `embed`."""
    needs_encoder = not set(OF_ENCODER).isdisjoint(settings.blocks_read)
    encoder = load_encoder(model) if needs_encoder or model.suffix == ".pth" else None
    described = encoder or read_description(model.with_name(CONFIG))
    manifests = {path: read_manifest(path) for path in timeseries}
    for path, manifest in manifests.items():
        require_fit(described, manifest, str(path), settings.allow_mismatch)
    first = next(iter(manifests.values()))
    coupling = None
    if not set(OF_CONNECTOME).isdisjoint(settings.blocks_read):
        loaded = _fitting_connectome(connectome, manifests, settings.allow_mismatch)
        coupling = Coupling(loaded)
        if settings.recentre == "site":
            site_of = _site_of(participants, settings)
            by_site = references_by_site(
                first_seconds(iter_scans(timeseries), settings.seconds), site_of, loaded
            )
            coupling = Coupling(loaded, by_site)
    return Readouts(
        regions=len(first.labels),
        # Of the model: the same bands in all data sets, also if their filters may differ.
        edges=band_edges(described.manifest or first),
        encoder=encoder.to("cuda" if torch.cuda.is_available() else "cpu") if encoder else None,
        coupling=coupling,
        has_amplitude=any(AMPLITUDE in open_parquet(p).schema_arrow.names for p in timeseries),
    )


def _fitting_connectome(
    path: Path | None, manifests: Manifests, allow_mismatch: Sequence[str]
) -> Connectome:
    """Load a connectome and compare its manifest and its regions with those of the time series."""
    if path is None:
        raise UserError(
            "The readouts coupling, coupling_gsr and distilled need connectome.safetensors of the "
            "model, and none is named. Name what `semantoks connectome` wrote by --connectome."
        )
    connectome = load_connectome(path)
    regions = len(connectome.manifest.labels)
    for file, manifest in manifests.items():
        require_match(connectome.manifest, manifest, str(file), allow_mismatch)
        if len(manifest.labels) != regions:
            raise UserError(
                f"{file} has {len(manifest.labels)} regions, but {path} has {regions}. Use the "
                "atlas that the model was trained with."
            )
    return connectome


def _site_of(participants: Path | None, settings: EmbedSettings) -> dict[str, str]:
    """Read the site of each participant for whom it is known."""
    names = settings.site_column
    if participants is None or names is None:
        raise UserError(
            "`recentre: site` needs the table of participants (--participants) and the name of its "
            "column of sites (`site_column`). Name both, or leave `recentre: none`."
        )
    table = read_table(participants)
    column = find_column(names, table.columns)
    if column is None:
        raise UserError(
            f"{participants} has no column {listed(names)}, which `recentre: site` needs. Correct "
            "`site_column` of the data set, or set `recentre: none` of the model."
        )
    known = table[table[column].notna()]
    ids, sites = known["participant_id"].astype(str), known[column].astype(str)
    return dict(zip(ids, sites, strict=True))
