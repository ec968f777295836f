"""Atlases: a label image and a table that names each label and its network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from scipy.spatial import cKDTree

from semantoks.errors import UserError
from semantoks.store import atomic

MNI_2MM = np.array([[2.0, 0, 0, -98], [0, 2, 0, -134], [0, 0, 2, -72], [0, 0, 0, 1]])
SHAPE_2MM = (99, 117, 95)


def seitzman300() -> tuple[Any, pd.DataFrame]:
    """Seitzman et al. 2018: 300 spheres in cortex, subcortex and cerebellum, 13 networks.

    The centres are those packaged with nilearn. A voxel that two spheres claim goes to the
    nearer centre. Source: doi:10.1016/j.neuroimage.2019.116290.

    Returns
    -------
    image : Nifti1Image of int16, labels 1 to 300, 2 mm, MNI
    table : DataFrame with ``index``, ``name``, ``network``, ``structure``
    """
    from nilearn.datasets import fetch_coords_seitzman_2018

    source = fetch_coords_seitzman_2018()
    centres = source["rois"][["x", "y", "z"]].to_numpy(float)
    labels = _spheres(centres, np.asarray(source["radius"], float))
    networks, structures = (np.asarray(source[key]) for key in ("networks", "regions"))
    names = [f"{n}_{s}_{i:03d}" for i, (n, s) in enumerate(zip(networks, structures, strict=True))]
    table = pd.DataFrame(
        {
            "index": np.arange(1, len(names) + 1),
            "name": names,
            "network": networks,
            "structure": structures,
        }
    )
    return nib.Nifti1Image(labels, MNI_2MM), table


def _spheres(centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    grid = np.indices(SHAPE_2MM).reshape(3, -1).T
    points = apply_affine(MNI_2MM, grid)
    distance, nearest = cKDTree(centres).query(points, distance_upper_bound=radii.max() + 1e-6)
    inside = np.isfinite(distance)
    inside[inside] = distance[inside] <= radii[nearest[inside]]
    return np.where(inside, nearest + 1, 0).astype(np.int16).reshape(SHAPE_2MM)


ATLASES: dict[str, Callable[[], tuple[Any, pd.DataFrame]]] = {"seitzman300": seitzman300}


def get_atlas(name: str, image: Path, table: Path) -> None:
    """Write the atlas `name` as a label image and its table."""
    if name not in ATLASES:
        known = ", ".join(sorted(ATLASES))
        raise UserError(f"There is no atlas '{name}' (known: {known}). Change `atlas`.")
    labels, regions = ATLASES[name]()
    with atomic(table) as temporary:
        regions.to_csv(temporary, sep="\t", index=False)
    image.parent.mkdir(parents=True, exist_ok=True)
    nib.save(labels, image)


def read_regions(table: Path) -> pd.DataFrame:
    """Read an atlas table: ``index`` (label in the image), ``name``, ``network``, in order."""
    return pd.read_csv(table, sep="\t", dtype={"name": str, "network": str})
