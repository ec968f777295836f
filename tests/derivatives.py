"""Derivatives in fMRIPrep's layout, made of simulated time series: no image is registered."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nilearn.datasets import load_mni152_brain_mask
from nilearn.image import resample_to_img

from semantoks.config import Simulation
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.atlas.stage import get_atlas
from semantoks.data.simulate.settings import SimulateSettings
from semantoks.data.simulate.stage import simulate

VOXEL = 6  # mm
SPACE = "space-MNI152NLin2009cAsym"
MOTION = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
FORMS = ("", "_derivative1", "_power2", "_derivative1_power2")


def write_derivatives(study: Path, people: int = 24) -> None:
    """Write ``participants.tsv`` and ``derivatives/fmriprep`` of people with planted phenotypes.

    Parameters
    ----------
    study : Path
        Folder of the data set.
    people : int
        Number of participants, each with a run of six minutes.
    """
    settings = SimulateSettings(
        simulate=Simulation(participants=people, two_sessions=0, seconds=360, faults=False),
        source="timeseries",
    )
    simulate(settings, truth=study / "truth", threads=1, out=study / "series/participants.tsv")
    (study / "series/participants.tsv").rename(study / "participants.tsv")
    root = study / "derivatives/fmriprep"
    root.mkdir(parents=True)
    by = [{"Name": "fMRIPrep", "Version": "23.1.3"}]
    description = {"Name": "fMRIPrep", "BIDSVersion": "1.4.0", "GeneratedBy": by}
    (root / "dataset_description.json").write_text(json.dumps(description))
    mask, labels = _mask_and_labels(study / "atlas")
    for path in sorted((study / "series").rglob("*_timeseries.npy")):
        _write_run(root, path, mask, labels)


def _mask_and_labels(folder: Path) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Return a brain mask with large voxels, and the region of each of its voxels."""
    folder.mkdir()
    image = folder / "dseg.nii.gz"
    settings = GetAtlasSettings(atlas="seitzman300")
    get_atlas(settings, table=folder / "dseg.tsv", out=image)
    mask = load_mni152_brain_mask(resolution=VOXEL)
    options = {"interpolation": "nearest", "force_resample": True, "copy_header": True}
    labels = resample_to_img(nib.load(image), mask, **options)
    return mask, np.asarray(labels.dataobj).astype(int)


def _write_run(root: Path, series: Path, mask: nib.Nifti1Image, labels: np.ndarray) -> None:
    """Paint the time series of the regions into an image, and write a table of confounds."""
    signals_TC = np.load(series)
    rng = np.random.default_rng(int.from_bytes(series.name.encode(), "big") % 2**32)
    person, stem = series.name.split("_")[0], series.name.removesuffix("_timeseries.npy")
    folder = root / person / "func"
    folder.mkdir(parents=True)
    inside = np.asarray(mask.dataobj) > 0
    data = np.zeros((*inside.shape, len(signals_TC)), np.int16)
    data[inside] = 1000
    # Region 0 is the background, whose voxels vary a little, or they would count as no data.
    known = np.column_stack([rng.normal(size=len(signals_TC)), signals_TC])
    data[inside] += np.rint(10 * known[:, labels[inside]].T).astype(np.int16)
    tr = json.loads(series.with_suffix(".json").read_text())["RepetitionTime"]
    bold = nib.Nifti1Image(data, mask.affine)
    bold.header.set_zooms((VOXEL, VOXEL, VOXEL, tr))
    nib.save(bold, folder / f"{stem}_{SPACE}_desc-preproc_bold.nii.gz")
    (folder / f"{stem}_{SPACE}_desc-preproc_bold.json").write_text(f'{{"RepetitionTime": {tr}}}')
    nib.save(mask, folder / f"{stem}_{SPACE}_desc-brain_mask.nii.gz")
    names = [*MOTION, "csf", "white_matter", "global_signal"]
    values = {f"{name}{form}": rng.normal(size=len(data.T)) for name in names for form in FORMS}
    values["framewise_displacement"] = rng.uniform(0.05, 0.3, len(data.T))
    table = pd.DataFrame(values)
    table.loc[0, [name for name in table if "derivative" in name]] = np.nan
    table.loc[0, "framewise_displacement"] = np.nan
    name = f"{stem}_desc-confounds_timeseries.tsv"
    table.to_csv(folder / name, sep="\t", index=False, na_rep="n/a")
    (folder / name.replace(".tsv", ".json")).write_text("{}")
