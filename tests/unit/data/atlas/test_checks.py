import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.data.atlas import checks
from semantoks.data.atlas.atlas import Atlas
from semantoks.errors import UserError


def test_flipped_image_raises(semantoks457: Atlas) -> None:
    image, regions = semantoks457.image, semantoks457.regions
    flipped = nib.Nifti1Image(np.asarray(image.dataobj)[::-1], image.affine)
    checks.require_hemispheres(image, regions)
    with pytest.raises(UserError, match="flipped left-right relative to its table: 450 of 450"):
        checks.require_hemispheres(flipped, regions)
    with pytest.raises(UserError, match="flipped"):  # with the hemispheres in the names
        checks.require_hemispheres(flipped, regions.drop(columns="hemisphere"))


def test_mixed_schaefer_versions_raise() -> None:
    mixed = pd.DataFrame({"name": ["7Networks_LH_Vis_1", "17Networks_LH_VisCent_1"]})
    with pytest.raises(UserError, match="mixes 17Networks_ and 7Networks_"):
        checks.require_single_version(mixed)


def test_right_before_left_raises() -> None:
    regions = pd.DataFrame({"index": [1, 2], "name": ["7Networks_RH_Vis_1", "7Networks_LH_Vis_1"]})
    with pytest.raises(UserError, match="not in the order of the Schaefer atlas"):
        checks.require_order(regions, "7Networks_")
