"""Outputs of fMRIPrep are found under the names of all versions, and verified."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from semantoks.data.index.shards import RawScan
from semantoks.data.preprocess.fmriprep.outputs import space_names, verify_outputs
from semantoks.errors import ScanError
from tests.stand_ins.sandbox import RUNS, Sandbox

SPACE = "MNI152NLin6Asym:res-2"


def test_spaces_are_named_with_and_without_resolution() -> None:
    assert space_names("MNI152NLin6Asym:res-2") == [
        "space-MNI152NLin6Asym_res-2",
        "space-MNI152NLin6Asym",
    ]
    assert space_names("MNIPediatricAsym:res-1:cohort-3")[1] == "space-MNIPediatricAsym_cohort-3"
    assert space_names("MNI152NLin2009cAsym:res-native") == ["space-MNI152NLin2009cAsym"]


def test_outputs_are_measured_and_confounds_must_match_the_image(sandbox: Sandbox) -> None:
    sandbox.run()
    scan = RawScan(RUNS[0], "sub-02", bold=f"sub-02/func/{RUNS[0]}_bold.nii.gz")
    measures = {"mean_fd": 0.1, "n_volumes": 12, "repetition_time": 2.0}
    assert verify_outputs(sandbox.out, scan, SPACE) == measures
    # Early versions write `run-1` where the raw image has `run-01`.
    padded = RawScan(RUNS[0].replace("run-1", "run-01"), "sub-02", bold=scan.bold)
    assert verify_outputs(sandbox.out, padded, SPACE) == measures
    path = sandbox.out / f"sub-02/func/{RUNS[0]}_desc-confounds_timeseries.tsv"
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    table.iloc[:-1].to_csv(path, sep="\t", index=False)
    with pytest.raises(ScanError, match="confounds of 11 volumes for an image of 12"):
        verify_outputs(sandbox.out, scan, SPACE)
    with pytest.raises(ScanError, match="no brain mask, no confounds and no sidecar"):
        verify_outputs(Path("/nowhere"), scan, SPACE)
