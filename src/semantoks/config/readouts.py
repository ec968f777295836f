"""What is read out of a model, and what that needs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config.base import Settings

Block = Literal[
    "pooled", "networks", "coupling", "coupling_gsr", "distilled", "amplitude", "spectrum"
]
Readout = Literal[
    "pooled", "networks", "coupling", "coupling_gsr", "distilled", "amplitude", "spectrum", "full"
]
# Blocks of the readout `full`, unless a model names others.
FULL: tuple[Block, ...] = (
    "networks",
    "coupling",
    "coupling_gsr",
    "distilled",
    "amplitude",
    "spectrum",
)
# What a readout needs: the network with its weights, or `connectome.safetensors`.
OF_ENCODER = ("pooled", "networks")
OF_CONNECTOME = ("coupling", "coupling_gsr", "distilled")
# Of the kernels in `full`; of others 1. In ABIDE these three say less than connectivity by
# themselves, and with equal weights they cost 0.01 of the AUROC of diagnosis
# (docs/representation.md).
BLOCK_WEIGHTS: dict[Block, float] = {"networks": 0.2, "amplitude": 0.5, "spectrum": 0.2}
Recentre = Literal["none", "site"]


class ConnectomeMap(Settings):
    """How connectomes are distilled."""

    components: int = Field(
        300, ge=1, description="Components of the readout `distilled`; fewer of few scans."
    )
    penalty: float = Field(
        0.3,
        gt=0,
        allow_inf_nan=False,
        description="L2 penalty of the map from one half of a scan to the other, relative to the "
        "mean squared norm of its input.",
    )
    scans: int = Field(
        2000,
        ge=10,
        description="Scans that the map is fitted to at most, spread evenly over all in their "
        "order; memory and time grow with them.",
    )
