"""Indexed data sets of every kind become time-series files, and each faulty scan has a reason."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.timeseries import iter_scans, read_manifest, read_scan_table
from semantoks.config import AtlasFiles, Dataset, IndexedDataset, Origin, Parcellation
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.atlas.stage import get_atlas
from semantoks.data.index.derivatives.scans import find_derivative_scans
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.parcellate.stage import parcellate
from semantoks.errors import UserError
from tests.conftest import run_index
from tests.unit.data.parcellate.conftest import AFFINE, SHAPE, write_run

VOLUMES = 80
SPACE = "space-MNI152NLin6Asym_res-2"


class FaultyRun:
    """A valid run in fMRIPrep's layout, with methods that damage it."""

    def __init__(self, root: Path, participant: str) -> None:
        self.func = root / f"sub-{participant}" / "func"
        self.func.mkdir(parents=True)
        self.stem = f"sub-{participant}_task-rest"
        self.bold = self.func / f"{self.stem}_{SPACE}_desc-preproc_bold.nii.gz"
        self.mask = self.func / f"{self.stem}_{SPACE}_desc-brain_mask.nii.gz"
        self.sidecar = self.func / f"{self.stem}_{SPACE}_desc-preproc_bold.json"
        self.table = self.func / f"{self.stem}_desc-confounds_timeseries.tsv"
        rng = np.random.default_rng(int(participant))
        self.data = rng.normal(1000, 10, (*SHAPE, VOLUMES)).astype(np.float32)
        names = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
        columns = [*names, "csf", "white_matter", "framewise_displacement"]
        self.confounds = pd.DataFrame(rng.uniform(0, 0.2, (VOLUMES, len(columns))), columns=columns)
        self.write(self.data)
        nib.save(nib.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE), self.mask)
        self.write_sidecar(RepetitionTime=2.0)
        self.table.with_suffix(".json").write_text("{}")
        self.write_confounds(self.confounds)

    def write(self, data: np.ndarray, affine: np.ndarray | None = AFFINE) -> None:
        image = nib.Nifti1Image(data, affine)
        if affine is None:
            image.header["sform_code"] = image.header["qform_code"] = 0
        nib.save(image, self.bold)

    def write_sidecar(self, **content: Any) -> None:
        self.sidecar.write_text(json.dumps(content))

    def write_confounds(self, confounds: pd.DataFrame) -> None:
        confounds.to_csv(self.table, sep="\t", index=False, na_rep="n/a")

    def truncate(self) -> None:
        self.bold.write_bytes(self.bold.read_bytes()[:-20000])

    def blank_a_volume(self) -> None:
        data = self.data.copy()
        data[..., 7] = np.nan
        self.write(data)

    def replace_by_broken_link(self) -> None:
        self.bold.unlink()
        self.bold.symlink_to("../.git/annex/objects/nothing")

    @staticmethod
    def replace_by_link(path: Path, target: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    @staticmethod
    def replace_by_pipe(path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    @staticmethod
    def move_and_link(path: Path) -> None:
        """Move a file to a folder beside the data set."""
        others = path.parents[3] / "others"
        others.mkdir(exist_ok=True)
        path.rename(others / path.name)
        path.symlink_to(others / path.name)

    def declare(self, *shape: int) -> None:
        header = nib.load(self.bold).header.copy()
        header.set_data_shape(shape)
        self.bold.write_bytes(gzip.compress(header.binaryblock + bytes(4)))

    def rename_space(self) -> None:
        for path in list(self.func.glob("*_space-*")):
            path.rename(path.with_name(path.name.replace("NLin6Asym", "NLin2009cAsym")))

    def add_uncompressed(self) -> None:
        nib.save(nib.load(self.bold), self.bold.with_suffix(""))


# Each fault with a part of the reason that it must give; empty for none.
FAULTS: dict[str, tuple[Callable[[FaultyRun], Any], str]] = {
    "truncated": (FaultyRun.truncate, "damaged or truncated"),
    "fewer rows of confounds": (
        lambda r: r.write_confounds(r.confounds[:70]),
        "the image has 80 volumes, its confounds table 70 rows",
    ),
    "NaN volumes": (FaultyRun.blank_a_volume, "1 of 80 volumes have NaN or infinite values"),
    "3-D": (lambda r: r.write(r.data[..., 0]), "4-D is needed"),
    "TR 0": (lambda r: r.write_sidecar(RepetitionTime=0), "RepetitionTime is 0 in sub-"),
    "TR in ms": (lambda r: r.write_sidecar(RepetitionTime=2000), "(is it in milliseconds?)"),
    "TR in words": (lambda r: r.write_sidecar(RepetitionTime="two"), "a number is needed"),
    "no TR": (lambda r: r.write_sidecar(TaskName="rest"), "no RepetitionTime in"),
    "no sidecar": (lambda r: r.sidecar.unlink(), "there is no sub-09_task-rest_space"),
    "broken sidecar": (lambda r: r.sidecar.write_text("{"), "cannot be read"),
    "no mask": (lambda r: r.mask.unlink(), "brain_mask.nii.gz is missing"),
    "no confounds": (lambda r: r.table.unlink(), "no confounds table beside"),
    "no motion columns": (
        lambda r: r.write_confounds(r.confounds[["csf", "white_matter"]]),
        "confounds 'simple' cannot be loaded",
    ),
    "annexed": (FaultyRun.replace_by_broken_link, "is a link to a file that is not here"),
    "another space": (FaultyRun.rename_space, "images are in MNI152NLin2009cAsym, the atlas toy"),
    "too short": (
        lambda r: (r.write(r.data[..., :40]), r.write_confounds(r.confounds[:40])),
        "80 s of data, at least 120 needed",
    ),
    "motion": (
        lambda r: r.write_confounds(
            r.confounds.assign(framewise_displacement=np.linspace(1, 3, VOLUMES))
        ),
        "mean framewise displacement 2.00 mm",
    ),
    "motion that is zero throughout": (
        lambda r: r.write_confounds(r.confounds.assign(framewise_displacement=0.0)),
        "framewise_displacement is 0 in all volumes",
    ),
    "nothing changes": (
        lambda r: r.write(np.full((*SHAPE, VOLUMES), 7, np.int16)),
        "no region changes over time",
    ),
    "no orientation": (lambda r: r.write(r.data, None), "has no orientation"),
    "far away": (
        lambda r: r.write(
            r.data, np.array([[4, 0, 0, 400], [0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1.0]])
        ),
        "only 0% of the atlas overlaps the brain in the run",
    ),
    "compressed and not": (FaultyRun.add_uncompressed, "several files of one scan"),
    "infinite confounds": (
        lambda r: r.write_confounds(r.confounds.assign(csf=np.inf)),
        "cannot be loaded (Input X contains infinity",
    ),
    "a pipe": (lambda r: FaultyRun.replace_by_pipe(r.bold), "is a named pipe, a file is needed"),
    "confounds from a pipe": (lambda r: FaultyRun.replace_by_pipe(r.table), "is a named pipe"),
    "a sidecar without end": (
        lambda r: FaultyRun.replace_by_link(r.sidecar, Path("/dev/zero")),
        "is a device, a file is needed",
    ),
    "a link to others": (
        lambda r: FaultyRun.move_and_link(r.bold),
        "leads out of the data set, to",
    ),
    "a mask of others": (
        lambda r: FaultyRun.move_and_link(r.mask),
        "leads out of the data set, to",
    ),
    "confounds of others": (
        lambda r: FaultyRun.move_and_link(r.table),
        "leads out of the data set, to",
    ),
    "a volume of 16 GB": (
        lambda r: r.declare(2000, 2000, 1000, VOLUMES),
        "declares 2000 × 2000 × 1000 values, at most",
    ),
    "none": (lambda _: None, ""),
}


def write_atlas(folder: Path, labels: np.ndarray, names: str, space: str) -> dict[str, Path]:
    """Write an atlas as `get_atlas` does; return the arguments of `parcellate`."""
    image = folder / "atlas-toy_dseg.nii.gz"
    nib.save(nib.Nifti1Image(labels.astype(np.int16), AFFINE), image)
    table, metadata = (folder / f"atlas-toy_dseg.{ending}" for ending in ("tsv", "json"))
    rows = "".join(f"{n}\t{name}\t{name.upper()}\n" for n, name in enumerate(names, 1))
    table.write_text(f"index\tname\tnetwork\n{rows}")
    metadata.write_text(json.dumps({"space": space}))
    return {"atlas_image": image, "atlas_table": table, "atlas_metadata": metadata}


def two_slabs() -> np.ndarray:
    labels = np.zeros(SHAPE, np.int16)
    labels[1:4, 1:9, 1:9], labels[6:9, 1:9, 1:9] = 1, 2
    return labels


def run_parcellate(
    folder: Path, data: Path, origin: Origin, settings: Parcellation, space: str
) -> Path:
    """Parcellate the first shard of ``folder/index`` with two regions; return the output."""
    out = folder / "timeseries.parquet"
    parcellate(
        ParcellateSettings(atlas="toy", origin=origin, parcellation=settings),
        shard=folder / "index/shard-0000.tsv",
        data=data,
        out=out,
        **write_atlas(folder, two_slabs(), "ab", space),
    )
    return out


def test_each_fault_is_a_reason_and_the_others_finish(tmp_path: Path) -> None:
    root = tmp_path / "Données de l'étude (v2)"  # accents, spaces and quotes are common in paths
    for number, (damage, _) in enumerate(FAULTS.values(), 1):
        damage(FaultyRun(root, f"{number:02d}"))
    participants = "".join(f"sub-{n:02d}\t30\n" for n in range(1, len(FAULTS) + 1))
    (root / "participants.tsv").write_text(f"participant_id\tage\n{participants}")
    dataset = Dataset(source="fmriprep", path=str(root))
    run_index(root, root / "participants.tsv", dataset, tmp_path / "index")
    settings = Parcellation(min_dof=1, motion="basic")
    out = run_parcellate(tmp_path, root, Origin(source="fmriprep"), settings, "MNI152NLin6Asym")
    reasons = read_scan_table([out])["reason"].tolist()
    assert len(reasons) == len(FAULTS) >= 20
    for (name, (_, expected)), reason in zip(FAULTS.items(), reasons, strict=True):
        assert (expected in reason) if expected else reason == "", f"{name}: {reason}"
        assert "\n" not in reason and len(reason) < 300, name


def test_preprocessed_scans_keep_the_measures_of_preprocessing(tmp_path: Path) -> None:
    data = tmp_path / "derivatives"
    write_run(data, "sub-01_task-rest")
    scan = {"scan": "sub-01_task-rest", "participant_id": "sub-01", "session": "", "task": "rest"}
    scan |= {"run": "", "bold": "x", "t1w": "", "repetition_time": "", "slice_timing": ""}
    scan |= {"slice_encoding_direction": "k", "version": "", "problem": ""}
    (tmp_path / "index").mkdir()
    pd.DataFrame([scan]).to_csv(tmp_path / "index/shard-0000.tsv", sep="\t", index=False)
    outcome = {"scan": "sub-01_task-rest", "status": "ok", "reason": "", "mean_fd": 0.1}
    outcomes = pd.DataFrame([outcome | {"dice": 0.95, "correlation": ""}])
    outcomes.to_csv(data / "scans.tsv", sep="\t", index=False)
    tool = {"Name": "fMRIPrep", "Version": "25.2.7"}
    (data / "dataset_description.json").write_text(json.dumps({"GeneratedBy": [tool]}))
    settings = Parcellation(keep_means=True, motion="basic")
    out = run_parcellate(tmp_path, data, Origin(), settings, "MNI152")
    (row,) = read_scan_table([out]).to_dict("records")
    assert (row["status"], row["mean_fd"], row["dice"]) == ("ok", 0.1, 0.95)
    assert np.isnan(row["correlation"])
    (written,) = iter_scans([out])
    assert written.timeseries_CT.shape == (2, 124)
    assert written.amplitude_C is not None and np.isfinite(written.amplitude_C).tolist() == [
        np.isfinite(row).all() for row in written.timeseries_CT
    ]
    assert read_manifest(out).engine == "fMRIPrep 25.2.7"


def test_hdf5_of_the_reference_is_a_data_set(tmp_path: Path) -> None:
    path = tmp_path / "hbn.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["timeseries/toy"] = rng.normal(size=(3, 2, 100)).astype(np.float32)
        file["long_subject_id"] = ["NDAR1", "NDAR2", "NDAR3"]
    dataset = Dataset(source="timeseries", path=str(path), repetition_time=1.5)
    run_index(path, path, dataset, tmp_path / "index")
    origin = Origin(source="timeseries")
    out = run_parcellate(tmp_path, path, origin, Parcellation(min_dof=1), "MNI152")
    table = read_scan_table([out])
    assert table["scan"].tolist() == ["NDAR1", "NDAR2", "NDAR3"]
    assert (table["status"] == "ok").all() and (table["seconds"] == 150).all()
    assert read_manifest(out).confounds == "as given"


def test_a_table_of_regions_is_enough_for_mist_122(tmp_path: Path, shared: Path) -> None:
    """119 people of three sites, in an atlas whose image is not at hand."""
    content = np.load(shared / "data/rpn_pain_mist122/timeseries.npz")
    regions = [str(name) for name in content["regions"]]
    people = ("bochum-004", "bochum-005", "bochum-006")
    rows = "".join(f"{n}\t{name}\t{name.split('_')[0]}\n" for n, name in enumerate(regions, 1))
    (tmp_path / "mist.tsv").write_text(f"index\tname\tnetwork\n{rows}")
    for name in people:
        path = tmp_path / f"ts/sub-{name.replace('-', '')}_timeseries.tsv"
        path.parent.mkdir(exist_ok=True)
        pd.DataFrame(content[name], columns=regions).to_csv(path, sep="\t", index=False)
    table, metadata = tmp_path / "atlas-mist_dseg.tsv", tmp_path / "atlas-mist_dseg.json"
    files = AtlasFiles(table=str(tmp_path / "mist.tsv"))
    get_atlas(GetAtlasSettings(atlas="mist", custom=files), table=table, out=table)
    shard, out = tmp_path / "shard.tsv", tmp_path / "t.parquet"
    dataset = IndexedDataset(source="timeseries")
    scans = find_derivative_scans(tmp_path / "ts", dataset).assign(repetition_time=2.5)
    scans.to_csv(shard, sep="\t", index=False)
    settings = ParcellateSettings(atlas="mist", origin=Origin(source="timeseries"))
    files_of_atlas = {"atlas_table": table, "atlas_metadata": metadata}
    parcellate(settings, shard=shard, data=tmp_path / "ts", out=out, **files_of_atlas)
    rows_of_scans, manifest = read_scan_table([out]), read_manifest(out)
    assert (rows_of_scans["status"] == "ok").all(), rows_of_scans["reason"].tolist()
    assert manifest.labels == tuple(regions) and manifest.space == ""
    # Constant regions of the real data count as no data.
    expected = [float((content[name].std(axis=0) > 0).mean()) for name in people]
    assert rows_of_scans["coverage"].tolist() == pytest.approx(expected)
    assert min(expected) < 1
    raw = ParcellateSettings(atlas="mist", origin=Origin(source="fmriprep"))
    with pytest.raises(UserError, match="The atlas mist has no image"):
        parcellate(raw, shard=shard, data=tmp_path / "ts", out=out, **files_of_atlas)
