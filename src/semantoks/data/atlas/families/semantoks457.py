"""The atlas of the Brain-Semantoks paper: 400 cortical, 50 subcortical, 7 cerebellar regions.

Merged at run time from the published files, because the licence of the cerebellar part (CC BY-ND)
forbids distributing a modified version. Available in MNI152NLin6Asym only: cortex and subcortex are
also published in MNI152NLin2009cAsym, but Buckner's cerebellum is not, and warping its labels to
that template would create a new atlas.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.processing import resample_from_to
from nibabel.spatialimages import SpatialImage

from semantoks.data.atlas.checks import require_order
from semantoks.data.atlas.download import Source, fetch
from semantoks.data.atlas.families.built import Built
from semantoks.data.atlas.images import label_image
from semantoks.data.atlas.regions import hemisphere_from_name

SPACE = "MNI152NLin6Asym"
CORTEX, SUBCORTEX = 400, 50
# Labels 1 to 7 of the cerebellum, in this order.
BUCKNER = ("Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default")
TIAN = "https://raw.githubusercontent.com/yetianmed/subcortex"
FOLDER = "Group-Parcellation/3T/Cortex-Subcortex"
STEM = "Schaefer2018_400Parcels_7Networks_order_Tian_Subcortex_S3"
SUIT = "https://raw.githubusercontent.com/DiedrichsenLab/cerebellar_atlases"

IMAGE = Source(
    f"{STEM}_MNI152NLin6Asym_2mm.nii.gz",
    "a6568b75ec7920bc60262d8b10dfaf9bb9fdbddd518c7313b48ae7465b687d7f",
    tuple(
        f"{TIAN}/{commit}/{FOLDER}/MNIvolumetric/{STEM}_MNI152NLin6Asym_2mm.nii.gz"
        for commit in ("76179cf552b773e79b06a54568eae1fdd13722f4", "master")
    ),
)
LABELS = Source(
    f"{STEM}_label.txt",
    "98653ec054aacf4513fa828e49c9e22991b2d15f4200ecf134ba31c7e5af6869",
    tuple(
        f"{TIAN}/{commit}/{FOLDER}/{STEM}_label.txt"
        for commit in ("dcad93421ea8021d6c5738df0a915a2223cd82aa", "master")
    ),
)
CEREBELLUM = Source(
    "atl-Buckner7_space-MNI_dseg.nii",
    "30103f765a72ef4ffcc58b0d7df4762e674ac8715900fe1578e59a18dced9416",
    tuple(
        f"{SUIT}/{commit}/Buckner_2011/atl-Buckner7_space-MNI_dseg.nii"
        for commit in ("b7a6bbc67034bec4f093cc0153250049ae914042", "master")
    ),
)
LICENCE = (
    "Schaefer 2018: MIT; Tian 2020: free of charge, cite doi:10.1038/s41593-020-00711-6; Buckner "
    "2011: CC BY-ND, cite doi:10.1152/jn.00339.2011. Merged at run time on this machine: do not "
    "redistribute the merged image."
)


def build(atlas_dir: Path | None) -> Built:
    """Merge the atlas from its parts.

    Labels 1 to 400 are cortex, 401 to 450 subcortex and 451 to 457 cerebellum; the published image
    has the subcortex first. Where parts overlap, cortex and subcortex take precedence over the
    cerebellum (65 voxels at 2 mm, all in Vis regions).

    Returns
    -------
    Built
        2 mm, 91 × 109 × 91 voxels.
    """
    combined = nib.load(fetch(IMAGE, atlas_dir))
    labels = cortex_first(np.asarray(combined.dataobj).astype(int))
    cerebellum = nib.load(fetch(CEREBELLUM, atlas_dir))
    merged = label_image(_add_cerebellum(labels, combined, cerebellum), combined.affine)
    regions = _read_table(fetch(LABELS, atlas_dir))
    require_order(regions[:CORTEX], "7Networks_")
    sources = [source.record for source in (IMAGE, LABELS, CEREBELLUM)]
    return Built(merged, regions, SPACE, sources, LICENCE)


def cortex_first(labels: np.ndarray) -> np.ndarray:
    """Renumber subcortex 1-50 and cortex 51-450 to cortex 1-400 and subcortex 401-450."""
    return np.where(labels > SUBCORTEX, labels - SUBCORTEX, labels + CORTEX * (labels > 0))


def _add_cerebellum(labels: np.ndarray, grid: SpatialImage, cerebellum: SpatialImage) -> np.ndarray:
    """Fill unlabelled voxels with the cerebellum, which is published at 1 mm and cropped."""
    # order=0: an average of two labels would be a third region.
    on_grid = np.asarray(resample_from_to(cerebellum, grid, order=0).dataobj).astype(int)
    return np.where((labels == 0) & (on_grid > 0), on_grid + CORTEX + SUBCORTEX, labels)


def _read_table(path: Path) -> pd.DataFrame:
    """Read the published names, which alternate with lines of label and colour."""
    # The final newline leaves an empty last element.
    published = path.read_text(encoding="utf-8").split("\n")[:-1:2]
    cortex, subcortex = published[SUBCORTEX:], published[:SUBCORTEX]
    names = [*cortex, *subcortex, *(f"Buckner7_{network}" for network in BUCKNER)]
    networks = [name.split("_")[2] for name in cortex]
    networks += ["Subcortex"] * len(subcortex) + ["Cerebellum"] * len(BUCKNER)
    return pd.DataFrame(
        {
            "index": np.arange(1, len(names) + 1),
            "name": names,
            "network": networks,
            "hemisphere": [hemisphere_from_name(name) for name in names],
        }
    )
