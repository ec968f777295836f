"""Seitzman et al. 2018: 300 spheres in cortex, subcortex and cerebellum, 13 networks.

The centres are part of nilearn, so nothing is downloaded.
Source: doi:10.1016/j.neuroimage.2019.116290.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from scipy.spatial import cKDTree

from semantoks.data.atlas.download import SourceRecord
from semantoks.data.atlas.families.built import Built
from semantoks.data.atlas.images import label_image

# The grid of nilearn's MNI152 template at 2 mm: 99 × 117 × 95 voxels, not FSL's 91 × 109 × 91.
AFFINE = np.array([[2.0, 0, 0, -98], [0, 2, 0, -134], [0, 0, 2, -72], [0, 0, 0, 1]])
SHAPE = (99, 117, 95)
SPACE = "MNI152"  # spheres fit every MNI152 template; see `atlas.same_space`
MIDLINE = 1.0  # mm; centres closer to the midline have no hemisphere
SOURCE = SourceRecord(doi="10.1016/j.neuroimage.2019.116290", file="centres packaged with nilearn")
LICENCE = "centres as published with the paper; packaged with nilearn (BSD-3-Clause)"


def build() -> Built:
    """Draw spheres around the published centres.

    Voxels in two spheres are assigned to the closer centre.

    Returns
    -------
    Built
        Labels 1 to 300 in 2 mm voxels; the table has the extra column ``structure``.
    """
    from nilearn.datasets import fetch_coords_seitzman_2018

    published = fetch_coords_seitzman_2018()
    centres = published["rois"][["x", "y", "z"]].to_numpy(float)
    labels = _spheres(centres, np.asarray(published["radius"], float))
    networks, structures = (np.asarray(published[key]) for key in ("networks", "regions"))
    names = [f"{n}_{s}_{i:03d}" for i, (n, s) in enumerate(zip(networks, structures, strict=True))]
    x = centres[:, 0]
    table = pd.DataFrame(
        {
            "index": np.arange(1, len(names) + 1),
            "name": names,
            "network": networks,
            "hemisphere": np.where(np.abs(x) < MIDLINE, "", np.where(x < 0, "L", "R")),
            "structure": structures,
        }
    )
    return Built(label_image(labels, AFFINE), table, SPACE, [SOURCE], LICENCE)


def _spheres(centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return labels 1 to n, shape `SHAPE`, for centres (n, 3) and radii (n,) in mm."""
    voxels = np.indices(SHAPE).reshape(3, -1).T
    points = apply_affine(AFFINE, voxels)
    # cKDTree excludes points exactly at the bound, and gives those beyond it an infinite distance.
    distance, nearest = cKDTree(centres).query(points, distance_upper_bound=radii.max() + 1e-6)
    inside = np.isfinite(distance)
    # The bound is the largest radius, 5 mm; 61 spheres have a radius of 4 mm.
    inside[inside] = distance[inside] <= radii[nearest[inside]]
    return np.where(inside, nearest + 1, 0).astype(np.int16).reshape(SHAPE)
