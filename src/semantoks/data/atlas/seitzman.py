"""Seitzman et al. 2018: 300 spheres in cortex, subcortex and cerebellum, 13 networks; offline."""

from __future__ import annotations

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from scipy.spatial import cKDTree

from semantoks.data.atlas.files import Built, label_image

MNI_2MM = np.array([[2.0, 0, 0, -98], [0, 2, 0, -134], [0, 0, 2, -72], [0, 0, 0, 1]])
SHAPE_2MM = (99, 117, 95)
MIDLINE = 1.0  # mm; a centre nearer to it has no side


def build() -> Built:
    """Draw the spheres around the centres that are packaged with nilearn.

    A voxel that two spheres claim goes to the nearer centre. Source:
    doi:10.1016/j.neuroimage.2019.116290.

    Returns
    -------
    Built
        Labels 1 to 300, 2 mm; ``structure`` beside the usual columns.
    """
    from nilearn.datasets import fetch_coords_seitzman_2018

    source = fetch_coords_seitzman_2018()
    centres = source["rois"][["x", "y", "z"]].to_numpy(float)
    labels = _spheres(centres, np.asarray(source["radius"], float))
    networks, structures = (np.asarray(source[key]) for key in ("networks", "regions"))
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
    cite = {"doi": "10.1016/j.neuroimage.2019.116290", "file": "centres packaged with nilearn"}
    licence = "centres as published with the paper; packaged with nilearn (BSD-3-Clause)"
    return Built(label_image(labels, MNI_2MM), table, "MNI152", [cite], licence)


def _spheres(centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    grid = np.indices(SHAPE_2MM).reshape(3, -1).T
    points = apply_affine(MNI_2MM, grid)
    distance, nearest = cKDTree(centres).query(points, distance_upper_bound=radii.max() + 1e-6)
    inside = np.isfinite(distance)
    inside[inside] = distance[inside] <= radii[nearest[inside]]
    return np.where(inside, nearest + 1, 0).astype(np.int16).reshape(SHAPE_2MM)
