"""The MNI152 template of nilearn."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.data.preprocess.minimal.template import load_template


def test_nilearn_ships_the_symmetric_template() -> None:
    template = load_template(2.0)
    middle = template.t1w[9:90]  # x from -80 to 80 mm
    np.testing.assert_allclose(middle, middle[::-1], atol=1e-3)
    assert template.brain.sum() * 8e-6 == pytest.approx(1.88, abs=0.01)  # litres
    assert not (template.csf & template.white_matter).any()
    assert template.csf.sum() > 1000
