"""Which representations are asked how much their scores need each network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from semantoks.config.base import Settings

# Baselines and readouts whose columns belong to networks; `full` by its blocks.
BASELINES_OF_NETWORKS = ("fc", "fc_gsr", "tangent", "tangent_gsr", "partial", "mean_activity")
READOUTS_OF_NETWORKS = ("networks", "coupling", "coupling_gsr", "amplitude", "spectrum", "full")
Content = Literal[
    "fc",
    "fc_gsr",
    "tangent",
    "tangent_gsr",
    "partial",
    "mean_activity",
    "networks",
    "coupling",
    "coupling_gsr",
    "amplitude",
    "spectrum",
    "full",
]


class Importance(Settings):
    """What is asked; see `docs/importance.md`."""

    representations: list[str] = Field(
        [],
        description="Baselines, or embeddings `<model>-<readout>`, whose features belong to "
        "networks (default: all of them). They are `fc`, `fc_gsr`, `tangent`, `tangent_gsr`, "
        "`partial`, `mean_activity`, and the readouts but `pooled` and `distilled`.",
    )
    phenotypes: list[str] = Field(
        [], description="Phenotypes of any data set (default: all of them)."
    )


def contents_of_networks(
    baselines: Sequence[str], embeddings: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """Return what each representation with networks is, by the name of its row.

    Parameters
    ----------
    baselines : sequence of str
    embeddings : mapping of str to (str, str)
        Model and readout, by row.

    Returns
    -------
    dict of str to str
        Baseline or readout.
    """
    of_baselines = {name: name for name in baselines if name in BASELINES_OF_NETWORKS}
    of_models = {row: readout for row, (_, readout) in embeddings.items()}
    return {
        row: readout for row, readout in of_models.items() if readout in READOUTS_OF_NETWORKS
    } | of_baselines
