"""Projections that must be fitted to training participants, split by split."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semantoks.scores.represent.coskewness import project_coskewness
from semantoks.scores.represent.tangent import project_tangent, project_tangent_shrunk

Projection = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

# By representation. The stage `represent` writes rows that are fitted to nobody; the probe applies
# these inside the training part, because fitting them to everybody would leak test participants.
PROJECTIONS: dict[str, Projection] = {
    "tangent": project_tangent,
    "tangent_gsr": project_tangent,
    "coskewness": project_coskewness,
}
# Of the representations whose projection has an alternative: the probe chooses between the two.
ALTERNATIVES: dict[str, Projection] = {
    "tangent": project_tangent_shrunk,
    "tangent_gsr": project_tangent_shrunk,
}
