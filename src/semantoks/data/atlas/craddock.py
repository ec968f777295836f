"""CC200: the 200 regions of Craddock et al. 2012 as the Preprocessed Connectomes Project has them.

3 mm. The project registered people to FSL's MNI152 template with ANTs, hence MNI152NLin6Asym
(preprocessed-connectomes-project.org/abide/cpac.html). Source: doi:10.1002/hbm.21333.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from nibabel.processing import resample_from_to

from semantoks.data.atlas import semantoks457
from semantoks.data.atlas.download import Source, fetch
from semantoks.data.atlas.files import Built, label_image

ONE_SIDED = 0.9  # part of a region's voxels that must lie on one side for it to have a side
IMAGE = Source(
    "cc200_roi_atlas.nii.gz",
    "9467afce23ad7197fbbc8c96aadc8c0c2e36d4938445e3c1570a5deac489c650",
    (
        "https://fcp-indi.s3.amazonaws.com/data/Projects/ABIDE_Initiative/Resources/"
        "cc200_roi_atlas.nii.gz",
    ),
)
LICENCE = (
    "CC BY-NC-SA 3.0 (Preprocessed Connectomes Project); cite doi:10.1002/hbm.21333. Networks by "
    f"overlap with semantoks457: {semantoks457.LICENCE}"
)


def build(atlas_dir: Path | None) -> Built:
    """Read the regions and name their networks by overlap with semantoks457."""
    image = nib.load(fetch(IMAGE, atlas_dir))
    labels = np.asarray(image.dataobj).astype(int)
    other = semantoks457.build(atlas_dir)
    index = np.unique(labels[labels > 0])
    regions = pd.DataFrame(
        {
            "index": index,
            "name": [f"cc200_{label}" for label in index],
            "network": networks_by_overlap(image, other.image, other.regions).loc[index],
            "hemisphere": _sides(labels, image.affine, index),
        }
    )
    return Built(
        label_image(labels, image.affine),
        regions,
        semantoks457.SPACE,
        [IMAGE.about, *other.sources],
        LICENCE,
    )


def networks_by_overlap(image: Any, other: Any, regions: pd.DataFrame) -> pd.Series:
    """Name the network that most of a region's volume lies in, among voxels that have one.

    Counted on the grid of `other`, which is the finer one.

    Parameters
    ----------
    image, other : nibabel images
        Labels to be named, and labels that have networks, in one space.
    regions : DataFrame
        ``index`` and ``network`` of `other`.

    Returns
    -------
    Series of str
        By label of `image`; "None" where nothing overlaps.
    """
    on_grid = np.asarray(resample_from_to(image, other, order=0).dataobj).astype(int).ravel()
    theirs = np.asarray(other.dataobj).astype(int).ravel()
    network_of = regions.set_index("index")["network"]
    both = (on_grid > 0) & (theirs > 0)
    counts = pd.crosstab(on_grid[both], network_of.loc[theirs[both]].to_numpy())
    labels = np.unique(np.asarray(image.dataobj).astype(int))
    return counts.idxmax(axis=1).reindex(labels[labels > 0], fill_value="None")


def _sides(labels: np.ndarray, affine: np.ndarray, index: np.ndarray) -> np.ndarray:
    """L or R for regions of one hemisphere, empty for those that reach over the midline."""
    voxels = np.argwhere(labels)
    left = apply_affine(affine, voxels)[:, 0] < 0
    found = labels[tuple(voxels.T)]
    share = (np.bincount(found, left) / np.maximum(np.bincount(found), 1))[index]
    return np.where(share >= ONE_SIDED, "L", np.where(share <= 1 - ONE_SIDED, "R", ""))
