"""UK Biobank's images as they are shipped go from the table of scans to time series."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.timeseries import iter_scans, read_manifest, read_scan_table
from semantoks.config import Dataset, Origin, Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.parcellate.stage import parcellate
from tests.conftest import run_index
from tests.unit.data.parcellate import native

SPACE = "MNI152NLin6Asym"
ICA = "fMRI/rfMRI.ica"
BOLD = f"{ICA}/filtered_func_data_clean.nii.gz"
SETTINGS = Parcellation(min_seconds=60, min_dof=1, repetition_time=2.0)


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of a participant in the folder of the zip file."""
    monkeypatch.setattr(native, "VOLUMES", 60)
    native.simulate().write(tmp_path / "person" / ICA)
    return tmp_path / "person"


def pack(source: Path, path: Path, without: str = "nothing") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member in sorted(x for x in source.rglob("*") if x.is_file() and without not in x.name):
            file.write(member, member.relative_to(source).as_posix())


def write_atlas(folder: Path, atlas: Atlas) -> dict[str, Path]:
    image, table = folder / "atlas-cubes_dseg.nii.gz", folder / "atlas-cubes_dseg.tsv"
    nib.save(atlas.image, image)
    atlas.regions.to_csv(table, sep="\t", index=False)
    (folder / "atlas-cubes_dseg.json").write_text(json.dumps({"space": SPACE}))
    return {
        "atlas_image": image,
        "atlas_table": table,
        "atlas_metadata": folder / "atlas-cubes_dseg.json",
    }


def time_series(folder: Path, root: Path, template: str) -> Path:
    """Index a data set whose user has set `space`, and parcellate its only shard."""
    people = pd.DataFrame({"participant_id": ["1000017", "1000025", "1000033"], "age": 60})
    people.to_csv(root / "participants.tsv", sep="\t", index=False)
    keys = {"source": "fmriprep", "template": template, "space": SPACE}
    dataset = Dataset(path=str(root), repetition_time=2.0, **keys)
    run_index(root, root / "participants.tsv", dataset, folder / "index")
    parcellate(
        ParcellateSettings(atlas="cubes", origin=Origin(**keys), parcellation=SETTINGS),
        shard=folder / "index/shard-0000.tsv",
        data=root,
        out=folder / "timeseries.parquet",
        **write_atlas(folder, native.native_atlas()),
    )
    return folder / "timeseries.parquet"


def test_zip_files_and_unpacked_files_give_the_same_time_series(
    tmp_path: Path, person: Path
) -> None:
    zips, folders = tmp_path / "zips", tmp_path / "folders"
    zips.mkdir()
    pack(person, zips / "1000017_20227_2_0.zip")
    pack(person, zips / "1000025_20227_2_0.zip", without="standard_warp")
    (zips / "1000033_20227_2_0.zip").write_bytes(b"an interrupted download")
    for name in ("1000017", "1000025"):
        shutil.copytree(person, folders / f"{name}_20227_2_0")
    (folders / "1000025_20227_2_0" / ICA / native.REGISTRATION).unlink()
    packed = time_series(tmp_path, zips, f"{{participant}}_20227_2_0.zip/{BOLD}")
    table = read_scan_table([packed]).set_index("participant_id")
    assert table["status"].tolist() == ["ok", "excluded", "excluded"], table["reason"].tolist()
    assert "is in the native space of the run, whatever `space`" in table.loc["1000025", "reason"]
    assert "1000033_20227_2_0.zip is a damaged zip file" in table.loc["1000033", "reason"]
    assert read_manifest(packed).space == SPACE
    (scan,) = iter_scans([packed])
    other = tmp_path / "other"
    other.mkdir()
    unpacked = time_series(other, folders, f"{{participant}}_20227_2_0/{BOLD}")
    (same,) = iter_scans([unpacked])
    assert same.timeseries_CT.tobytes() == scan.timeseries_CT.tobytes()
    assert np.isfinite(scan.timeseries_CT).all() and scan.timeseries_CT.shape[1] == 60
    reasons = read_scan_table([unpacked]).set_index("participant_id")["reason"]
    assert reasons["1000017"] == "" and "whatever `space` says" in reasons["1000025"]
