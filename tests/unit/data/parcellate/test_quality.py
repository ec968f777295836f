"""Every threshold excludes scans with a sentence that names the value and the limit."""

from __future__ import annotations

import pytest

from semantoks.config import Parcellation
from semantoks.data.parcellate.quality import require_quality
from semantoks.errors import ScanError


@pytest.mark.parametrize(
    ("measures", "settings", "sentence"),
    [
        ({"tsnr": 12.0}, {"min_tsnr": 20}, "temporal signal-to-noise ratio 12.0, at least 20"),
        ({"dvars": 9.0}, {"max_dvars": 5}, "DVARS 9.0 % of the mean signal, at most 5 allowed"),
        ({"mean_fd": 0.7}, {}, "displacement 0.70 mm, at most 0.5 allowed"),
        ({"censored": 0.75}, {}, "75% of the volumes censored, at most 0.5 allowed"),
        ({"coverage": 0.05}, {}, "5% of the atlas covered, at least 0.1 needed"),
    ],
)
def test_a_missed_threshold_is_explained(
    measures: dict[str, float], settings: dict[str, float], sentence: str
) -> None:
    with pytest.raises(ScanError, match=sentence) as caught:
        require_quality(measures, Parcellation(**settings))
    assert caught.value.measures == measures
    require_quality({name: float("nan") for name in measures}, Parcellation(**settings))
