from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.atlas.images import centroids

NETWORK_SIZES = {
    "Vis": 61,
    "SomMot": 77,
    "DorsAttn": 46,
    "SalVentAttn": 47,
    "Limbic": 26,
    "Cont": 52,
    "Default": 91,
    "Subcortex": 50,
    "Cerebellum": 7,
}
COMBINED = "Schaefer2018_400Parcels_7Networks_order_Tian_Subcortex_S3_MNI152NLin6Asym_2mm.nii.gz"


def test_merged_atlas_equals_that_of_the_paper(semantoks457: Atlas, published: Path) -> None:
    expected = pd.read_csv(published / "atlas-Schaefer400x7nTianS3Buckner7_dseg.tsv", sep="\t")
    regions, image = semantoks457.regions, semantoks457.image
    for column in ("index", "name", "network"):
        assert list(regions[column]) == list(expected[column])
    assert list(regions["hemisphere"]) == list(expected["hemi"].replace("B", ""))
    assert regions["network"].value_counts(sort=False).to_dict() == NETWORK_SIZES
    assert semantoks457.space == "MNI152NLin6Asym"
    assert image.shape == (91, 109, 91)
    voxels = np.bincount(np.asarray(image.dataobj).ravel(), minlength=458)[1:]
    assert len(voxels) == 457
    assert voxels.min() >= 40
    # The expected centroids were measured at 1 mm.
    difference = centroids(image)[1:] - expected[["R", "A", "S"]].to_numpy()
    assert np.abs(difference).max() < 1.0


def test_cerebellum_takes_only_free_voxels(semantoks457: Atlas, published: Path) -> None:
    before = np.asarray(nib.load(published / COMBINED).dataobj)
    merged = np.asarray(semantoks457.image.dataobj)
    assert (merged[before > 50] == before[before > 50] - 50).all()
    assert (merged[(before > 0) & (before <= 50)] > 400).all()
    assert (merged[before == 0] > 450).sum() == (merged > 450).sum()
