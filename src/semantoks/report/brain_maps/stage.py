"""Draw what scores lose without each network on the brain."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from semantoks.artifacts.files import atomic_folder
from semantoks.artifacts.timeseries import (
    included_scans,
    iter_scans,
    read_manifest,
    read_scan_table,
)
from semantoks.data.atlas.regions import read_regions
from semantoks.report.brain_maps.connectome import connectome_by_network
from semantoks.report.brain_maps.drawing import Brain, draw_connectome
from semantoks.report.brain_maps.settings import BrainMapsSettings
from semantoks.report.names import METRICS
from semantoks.scores.network_importance.table import read_losses

log = logging.getLogger(__name__)


def brain_maps(
    settings: BrainMapsSettings,
    *,
    importance: Sequence[Path],
    timeseries: Sequence[Path],
    atlas_table: Path,
    out: Path,
    atlas_image: Path | None = None,
) -> list[Path]:
    """Draw the maps of a data set.

    Parameters
    ----------
    settings : BrainMapsSettings
    importance : sequence of Path
        ``<phenotype>/<representation>.tsv`` that `network_importance` wrote.
    timeseries : sequence of Path
        Time series of the data set, for the mean connectome.
    atlas_table : Path
        Table of regions: ``index``, ``network``.
    out : Path
        Folder of ``<phenotype>/<representation>.png``, ``connectome.tsv`` and ``connectome.png``.
    atlas_image : Path, optional
        Label image. Without one, or if it is not a volume, nothing is drawn on the brain.

    Returns
    -------
    list of Path
        `out`.
    """
    brain = None
    if atlas_image is not None and Brain.can_show(atlas_image):
        brain = Brain(atlas_image)
    else:
        log.warning("The atlas has no label image of voxels, so nothing is drawn on the brain.")
    scans_of = included_scans(read_scan_table(timeseries))["participant_id"].value_counts()
    networks = read_manifest(timeseries[0]).networks
    connectome = connectome_by_network(iter_scans(timeseries), scans_of.to_dict(), networks)
    with atomic_folder(out) as folder:
        connectome.to_csv(folder / "connectome.tsv", sep="\t", na_rep="n/a")
        (folder / "connectome.png").write_bytes(draw_connectome(connectome))
        if brain is not None:
            _draw_all(brain, importance, read_regions(atlas_table), folder)
    return [out]


def _draw_all(
    brain: Brain, importance: Sequence[Path], regions: pd.DataFrame, folder: Path
) -> None:
    """Draw a map of each table of losses."""
    for path in importance:
        losses = read_losses(path)
        values = _value_of_region(losses, regions)
        if not values:  # r of fewer than ten test participants is not known
            log.warning(
                "%s of %s has no map: its losses are not known.", path.stem, path.parent.name
            )
            continue
        title = f"loss of {METRICS[losses['metric'].iloc[0]]} without each network"
        name = folder / path.parent.name / f"{path.stem}.png"
        name.parent.mkdir(exist_ok=True)
        name.write_bytes(brain.draw(values, title))


def _value_of_region(losses: pd.DataFrame, regions: pd.DataFrame) -> dict[int, float]:
    """Loss of the network of each region, under the first scheme of splits, by label."""
    of_networks = (losses["other"] == "") & (losses["scheme"] == losses["scheme"].iloc[0])
    loss_of = losses[of_networks].set_index("network")["left_out_loss"]
    values = regions.set_index("index")["network"].astype(str).map(loss_of).dropna()
    return {int(label): float(value) for label, value in values.items()}
