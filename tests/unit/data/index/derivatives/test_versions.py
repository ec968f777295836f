"""Images in zip files are found by the names of these; versions change with all that is read."""

from __future__ import annotations

from pathlib import Path

from tests.unit.data.index.conftest import touch
from tests.unit.data.index.derivatives.test_scans import find


def zipped(root: Path, participant: str) -> Path:
    path = root / f"{participant}_20227_2_0.zip"
    path.write_bytes(b"not opened before its scan is read")
    return path


def test_images_in_zip_files_are_found_by_the_names_of_these(tmp_path: Path) -> None:
    first, _ = zipped(tmp_path, "1000017"), zipped(tmp_path, "1000025")
    touch(tmp_path, "1000033_20249_2_0.zip", "1000041_20227_2_0/fMRI/rfMRI.ica/x.nii.gz")
    (tmp_path / "1000058_20227_2_0.zip").mkdir()
    member = "fMRI/rfMRI.ica/filtered_func_data_clean.nii.gz"
    template = f"{{participant}}_20227_2_0.zip/{member}"
    scans = find(tmp_path, source="fmriprep", template=template)
    assert scans["participant_id"].tolist() == ["1000017", "1000025", "1000058"]
    assert scans.loc["1000017", "file"] == f"1000017_20227_2_0.zip/{member}"
    assert scans["problem"].tolist()[:2] == ["", ""]
    assert "is a folder, a file is needed" in scans.loc["1000058", "problem"]
    first.write_bytes(b"other")
    again = find(tmp_path, source="fmriprep", template=template)
    changed = again["version"] != scans["version"]
    assert changed.tolist() == [True, False, False]
    sessions = "{participant}_20227_{session}_0.zip/fMRI/{session}.nii.gz"
    scans = find(tmp_path, source="fmriprep", template=sessions)
    assert scans.loc["1000025_2", "file"] == "1000025_20227_2_0.zip/fMRI/2.nii.gz"


def test_the_version_changes_with_the_registration(tmp_path: Path) -> None:
    image = "{participant}/rfMRI.ica/clean.nii.gz"
    touch(tmp_path, "1/rfMRI.ica/clean.nii.gz")

    def version(**settings: str) -> str:
        scans = find(tmp_path, source="fmriprep", template=image, **settings)
        return str(scans["version"].iloc[0])

    versions = [version()]
    for name in ("mask.nii.gz", "reg/example_func2standard_warp.nii.gz"):
        touch(tmp_path, f"1/rfMRI.ica/{name}")
        versions.append(version())
    touch(tmp_path, "1/rfMRI.ica/reg/example_func2standard.mat")
    versions.append(version())
    versions.append(version(registration="warps/{participant}_warp.nii.gz"))
    for name in ("warps/1_warp.nii.gz", "warps/1.mat"):
        touch(tmp_path, name)
        versions.append(version(registration="warps/{participant}_warp.nii.gz"))
    assert len(set(versions)) == len(versions)
