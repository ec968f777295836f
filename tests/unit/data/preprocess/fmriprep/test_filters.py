"""Filters select the same images in `index` and, written for PyBIDS, in fMRIPrep."""

from __future__ import annotations

from semantoks.config.filters import FILTERED
from semantoks.data.preprocess.fmriprep.filters import NAMES, bids_filters


def test_every_entity_has_a_name_in_pybids() -> None:
    assert set(NAMES) == set(FILTERED)


def test_values_are_written_for_pybids() -> None:
    assert bids_filters({}, {}) == {}
    chosen = {"run": "01", "acq": [1, None], "ses": "*", "part": "mag"}
    assert bids_filters(chosen, {}) == {
        "bold": {
            "datatype": "func",
            "suffix": "bold",
            "run": 1,
            "acquisition": ["001", "01", "1", None],
            "session": "*",
            "part": "mag",
        }
    }
    assert list(bids_filters({}, {"run": [1, "02"]})["t1w"].values()) == ["anat", "T1w", [1, 2]]
