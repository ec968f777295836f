"""Projections that must be fitted to training participants, split by split."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semantoks.scores.represent.coskewness import project_coskewness
from semantoks.scores.represent.tangent import project_tangent, project_tangent_shrunk

Projection = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

# The stage `represent` writes rows that are fitted to nobody; the probe applies these inside the
# training part, because fitting them to everybody would leak test participants. By representation.
PROJECTIONS: dict[str, Projection] = {
    "tangent": project_tangent,
    "tangent_gsr": project_tangent,
    "coskewness": project_coskewness,
    "tangent_shrunk": project_tangent_shrunk,
    "tangent_rbf": project_tangent,
    "tangent_rbf_shrunk": project_tangent_shrunk,
}
# Projections that have another version. The probe chooses between the two.
ALTERNATIVES = {
    "tangent": "tangent_shrunk",
    "tangent_gsr": "tangent_shrunk",
    "tangent_rbf": "tangent_rbf_shrunk",
}
# Of what these return the probe takes a Gaussian kernel instead of the linear one.
GAUSSIAN = ("tangent_rbf", "tangent_rbf_shrunk")
