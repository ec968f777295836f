"""Derivatives are readable by nilearn and say what they are."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nilearn.interfaces.fmriprep import load_confounds, load_confounds_strategy

from semantoks.data.layout import generated_by
from semantoks.data.preprocess.minimal.confound_table import confound_table
from semantoks.data.preprocess.minimal.derivatives import RunFiles, write_description
from semantoks.data.preprocess.minimal.template import load_template


@pytest.fixture
def bold(tmp_path: Path) -> Path:
    """Write derivatives of noise, the first two volumes non-steady; return the image's path."""
    rng, template = np.random.default_rng(0), load_template(8.0)
    inside = template.surroundings
    series = rng.normal(1000, 10, (inside.sum(), 80)).astype(np.float32)
    masks = {"brain": template.brain, "csf": template.csf, "white_matter": template.white_matter}
    motion = 0.05 * rng.normal(0, [1, 1, 1, 0.02, 0.02, 0.02], (80, 6))
    motion[40:, 0] += 2  # a sudden movement, for scrubbing
    inner = {name: mask[inside] for name, mask in masks.items()}
    files = RunFiles(tmp_path, "sub-01_task-rest", "sub-01/func/sub-01_task-rest_bold.nii.gz")
    files.write_confounds(*confound_table(series, inner, motion, 2.0, non_steady=2))
    files.write_mask(template.brain, template)
    files.write_bold(series, inside, template, 2.0, {"SliceTimingCorrected": False})
    return tmp_path / (
        "sub-01/func/sub-01_task-rest_space-MNI152NLin2009aSym_desc-preproc_bold.nii.gz"
    )


@pytest.mark.parametrize(("strategy", "columns"), [("simple", 26), ("scrubbing", 32)])
def test_nilearn_reads_our_confounds(bold: Path, strategy: str, columns: int) -> None:
    table, sample_mask = load_confounds_strategy(str(bold), denoise_strategy=strategy)
    cosines = table.columns.str.startswith("cosine").sum()
    assert cosines == 2
    assert table.shape == (80, columns + cosines)
    assert np.isfinite(table.to_numpy()).all()
    assert sample_mask is not None
    assert not {0, 1} & set(sample_mask)  # non-steady state
    assert (40 in sample_mask) == (strategy == "simple")


def test_nilearn_reads_our_acompcor(bold: Path) -> None:
    table, _ = load_confounds_strategy(str(bold), denoise_strategy="compcor")
    components = table.columns.str.startswith("a_comp_cor")
    assert 1 <= components.sum() < 78
    three, _ = load_confounds(
        str(bold), strategy=("high_pass", "compcor"), compcor="anat_combined", n_compcor=3
    )
    assert three.columns.str.startswith("a_comp_cor").sum() == 3


def test_images_have_grid_repetition_time_and_mask(bold: Path) -> None:
    image, template = nib.load(bold), load_template(8.0)
    assert image.header.get_zooms() == (8, 8, 8, 2)
    np.testing.assert_array_equal(image.affine, template.affine)
    data = np.asarray(image.dataobj)
    assert (data[..., 5][template.surroundings] > 900).all()
    assert not data[~template.surroundings].any()
    sidecar = json.loads(Path(str(bold).replace(".nii.gz", ".json")).read_text())
    assert sidecar["RepetitionTime"] == 2.0
    mask = nib.load(str(bold).replace("preproc_bold", "brain_mask"))
    np.testing.assert_array_equal(np.asarray(mask.dataobj) > 0, template.brain)


def test_the_description_names_the_engine_and_its_version(tmp_path: Path) -> None:
    assert generated_by(tmp_path) == ""
    write_description(tmp_path)
    assert generated_by(tmp_path).startswith("semantoks minimal 0.")
    legacy = {"PipelineDescription": {"Name": "fMRIPrep", "Version": "1.5.0"}}
    (tmp_path / "dataset_description.json").write_text(json.dumps(legacy))
    assert generated_by(tmp_path) == "fMRIPrep 1.5.0"
