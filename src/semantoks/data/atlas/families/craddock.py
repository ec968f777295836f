"""CC200: the 200 regions of Craddock et al. 2012, as used by the Preprocessed Connectomes Project.

3 mm voxels. The project registered participants to FSL's MNI152 template with ANTs, hence
MNI152NLin6Asym (preprocessed-connectomes-project.org/abide/cpac.html).
Source: doi:10.1002/hbm.21333.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from nibabel.processing import resample_from_to
from nibabel.spatialimages import SpatialImage

from semantoks.data.atlas.download import Source, fetch
from semantoks.data.atlas.families import semantoks457
from semantoks.data.atlas.families.built import Built
from semantoks.data.atlas.images import label_image

MIN_SHARE = 0.9  # of a region's voxels in a hemisphere for the region to belong to it
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
    """Read the image, and assign each region the network it overlaps most in semantoks457."""
    image = nib.load(fetch(IMAGE, atlas_dir))
    labels = np.asarray(image.dataobj).astype(int)
    reference = semantoks457.build(atlas_dir)
    index = np.unique(labels[labels > 0])
    networks = networks_by_overlap(image, reference.image, reference.regions)
    regions = pd.DataFrame(
        {
            "index": index,
            "name": [f"cc200_{label}" for label in index],
            "network": networks.loc[index],
            "hemisphere": _hemispheres(labels, image.affine, index),
        }
    )
    return Built(
        label_image(labels, image.affine),
        regions,
        semantoks457.SPACE,
        [IMAGE.record, *reference.sources],
        LICENCE,
    )


def networks_by_overlap(
    image: SpatialImage, reference: SpatialImage, regions: pd.DataFrame
) -> pd.Series:
    """Find the network with the largest overlap for every region.

    Voxels are counted on the grid of `reference`, the finer of the two; voxels without a network
    do not count.

    Parameters
    ----------
    image : nibabel image
        Regions without networks.
    reference : nibabel image
        Regions with networks, in the same template space.
    regions : DataFrame
        ``index`` and ``network`` of `reference`.

    Returns
    -------
    Series of str
        Network by label of `image`; "None" for regions without overlap.
    """
    # On the 2 mm grid, all 200 regions agree with an earlier table; on their own 3 mm grid, 198 do.
    # order=0, since a label between two others would be a third region.
    on_grid = np.asarray(resample_from_to(image, reference, order=0).dataobj).astype(int).ravel()
    reference_labels = np.asarray(reference.dataobj).astype(int).ravel()
    network_of = regions.set_index("index")["network"]
    both = (on_grid > 0) & (reference_labels > 0)
    counts = pd.crosstab(on_grid[both], network_of.loc[reference_labels[both]].to_numpy())
    labels = np.unique(np.asarray(image.dataobj).astype(int))
    # Columns are sorted by name and idxmax takes the first maximum, so ties are reproducible.
    return counts.idxmax(axis=1).reindex(labels[labels > 0], fill_value="None")


def _hemispheres(labels: np.ndarray, affine: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return L or R for regions in a single hemisphere, empty for regions across the midline."""
    voxels = np.argwhere(labels)
    is_left = apply_affine(affine, voxels)[:, 0] < 0
    voxel_labels = labels[tuple(voxels.T)]
    counts = np.maximum(np.bincount(voxel_labels), 1)
    left_share = (np.bincount(voxel_labels, is_left) / counts)[index]
    right = np.where(left_share <= 1 - MIN_SHARE, "R", "")
    return np.where(left_share >= MIN_SHARE, "L", right)
