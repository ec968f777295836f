"""Images in native space are read through FSL's warp field, or not at all."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.index.shards import DerivativeScan
from semantoks.data.parcellate.readers.template_images import TemplateImageReader, read_image
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.errors import ScanError
from semantoks.gate import Gate
from tests.unit.data.parcellate.conftest import dense_axis, write_dense
from tests.unit.data.parcellate.native import (
    MNI,
    REGISTRATION,
    SHAPE,
    expected_means,
    native_atlas,
    positions,
    signal,
    simulate,
)

TR, SPACE = 0.735, "MNI152NLin6Asym"
ICA = "fMRI/rfMRI.ica"
BOLD = f"{ICA}/filtered_func_data_clean.nii.gz"


@pytest.fixture(scope="module")
def cubes() -> Atlas:
    return native_atlas()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of one participant as UK Biobank ships them."""
    folder = tmp_path_factory.mktemp("ukb")
    simulate().write(folder / ICA)
    return folder


@pytest.fixture
def ica(shipped: Path, tmp_path: Path) -> Path:
    """Links to these files, which a test may remove."""
    for file in (path for path in shipped.rglob("*") if path.is_file()):
        link = tmp_path / "1000017_20227_2_0" / file.relative_to(shipped)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    return tmp_path / "1000017_20227_2_0" / ICA


def read(bold: Path, atlas: Atlas, space: str | None = None) -> RegionalMeans:
    return read_image(bold, atlas, TR, Parcellation(), space)


def standard_image(code: int) -> nib.Nifti1Image:
    image = nib.Nifti1Image(signal(positions(SHAPE, MNI)).reshape(*SHAPE, -1).astype("f4"), MNI)
    image.set_sform(MNI, code)
    return image


def test_the_warp_beside_a_run_is_used(ica: Path, cubes: Atlas) -> None:
    for space in (None, SPACE):
        scan = read(ica / "filtered_func_data_clean.nii.gz", cubes, space)
        pairs = zip(scan.means_TC.T, expected_means(cubes).T, strict=True)
        assert min(np.corrcoef(*pair)[0, 1] for pair in pairs) > 0.98
        assert scan.space == SPACE
    with pytest.raises(ScanError, match=f"leads to {SPACE}, `space` of .* MNI152NLin2009cAsym"):
        read(ica / "filtered_func_data_clean.nii.gz", cubes, "MNI152NLin2009cAsym")
    other = replace(cubes, space="MNI152NLin2009cAsym")
    with pytest.raises(ScanError, match="the atlas cubes is in MNI152NLin2009cAsym"):
        read(ica / "filtered_func_data_clean.nii.gz", other)


def test_a_native_image_is_never_taken_for_mni_because_of_space(ica: Path, cubes: Atlas) -> None:
    """The fault that was silent: native images pass every other check if `space` is set."""
    bold = ica / "filtered_func_data_clean.nii.gz"
    (ica / REGISTRATION).unlink()
    reason = (
        "is in the native space of the run, whatever `space` says: it lies in a folder of FSL, "
        "without reg/example_func2standard_warp.nii.gz, which leads to standard space"
    )
    with pytest.raises(ScanError, match=reason):
        read(bold, cubes, SPACE)
    # Nor without the folder `reg`, as long as the folder is one of FSL's.
    (ica / "reg/example_func2standard.mat").unlink()
    (ica / "reg").rmdir()
    with pytest.raises(ScanError, match=reason):
        read(bold, cubes, SPACE)
    # Elsewhere, what `space` says is believed; the fault can then be seen in the means only.
    moved = ica.parent / "images"
    ica.rename(moved)
    assert read(moved / bold.name, cubes, SPACE).space == SPACE
    (moved / "reg").mkdir()
    with pytest.raises(ScanError, match=reason):
        read(moved / bold.name, cubes, SPACE)


def test_a_link_to_a_warp_that_is_not_here_is_a_reason(ica: Path, cubes: Atlas) -> None:
    (ica / REGISTRATION).unlink()
    (ica / REGISTRATION).symlink_to("annex/missing")
    with pytest.raises(ScanError, match="warp.nii.gz is a link to a file that is not here"):
        read(ica / "filtered_func_data_clean.nii.gz", cubes)


def test_images_in_standard_space_are_not_warped_again(ica: Path, cubes: Atlas) -> None:
    expected_TC = expected_means(cubes)
    (ica / "reg_standard").mkdir()
    for name, code in (("reg_standard/filtered_func_data_clean.nii.gz", 1), ("std.nii.gz", 4)):
        nib.save(standard_image(code), ica / name)
        scan = read(ica / name, cubes)
        np.testing.assert_allclose(scan.means_TC, expected_TC, rtol=1e-5)
        with pytest.raises(ScanError, match="is in standard space already, by its folder or its"):
            read_image(ica / name, cubes, TR, Parcellation(), None, ica / REGISTRATION)
    assert read(ica / "reg_standard/filtered_func_data_clean.nii.gz", cubes).space == SPACE
    # On the grid of MNI152, but neither its header nor the configuration says that it is there.
    nib.save(standard_image(1), ica / "std.nii.gz")
    with pytest.raises(ScanError, match="if it is in native space, name FSL's warp field by"):
        read(ica / "std.nii.gz", cubes)


def scan_row(file: str) -> DerivativeScan:
    return DerivativeScan("1000017", "1000017", "", "", "", file, "", "", TR)


def write_zip(shipped: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member in sorted(shipped.rglob("*")):
            if member.is_file():
                file.write(member, member.relative_to(shipped).as_posix())


def test_a_zip_file_gives_what_its_unpacked_files_give(
    shipped: Path, ica: Path, tmp_path: Path, cubes: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, temporary = tmp_path / "zips", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    write_zip(shipped, folder / "1000017_20227_2_0.zip")
    with Gate(folder):
        reader = TemplateImageReader(folder, cubes, Parcellation(), SPACE)
        packed = reader.read(scan_row(f"1000017_20227_2_0.zip/{BOLD}"))
    unpacked = read(ica / "filtered_func_data_clean.nii.gz", cubes)
    assert packed.means_TC.tobytes() == unpacked.means_TC.tobytes()
    assert packed.measures == unpacked.measures and packed.space == unpacked.space == SPACE
    assert list(temporary.iterdir()) == []


def test_without_its_warp_a_zipped_run_is_native_too(
    shipped: Path, tmp_path: Path, cubes: Atlas
) -> None:
    with zipfile.ZipFile(tmp_path / "1000017.zip", "w") as file:
        file.write(shipped / BOLD, "images/clean.nii.gz")
        file.writestr("images/reg/example_func2standard.mat", "")
    reader = TemplateImageReader(tmp_path, cubes, Parcellation(), SPACE)
    with pytest.raises(ScanError, match="is in the native space of the run, whatever `space`"):
        reader.read(scan_row("1000017.zip/images/clean.nii.gz"))
    with pytest.raises(ScanError, match="1000017.zip has no file images/other.nii.gz"):
        reader.read(scan_row("1000017.zip/images/other.nii.gz"))


def test_a_warp_elsewhere_is_named_by_its_template(
    shipped: Path, ica: Path, tmp_path: Path, cubes: Atlas
) -> None:
    expected = read(ica / "filtered_func_data_clean.nii.gz", cubes).means_TC
    root = tmp_path / "root"
    (root / "runs").mkdir(parents=True)
    for name in ("filtered_func_data_clean.nii.gz", "mask.nii.gz"):
        (root / "runs" / name).write_bytes((ica / name).read_bytes())
    (root / "warps").mkdir()
    (root / "warps/1000017_warp.nii.gz").write_bytes((ica / REGISTRATION).read_bytes())
    write_zip(shipped, root / "1000017.zip")
    row = scan_row("runs/filtered_func_data_clean.nii.gz")
    for template in (
        "warps/{participant}_warp.nii.gz",
        f"{{participant}}.zip/{ICA}/{REGISTRATION}",
    ):
        reader = TemplateImageReader(root, cubes, Parcellation(), None, template)
        assert reader.read(row).means_TC.tobytes() == expected.tobytes()
    with pytest.raises(ScanError, match="1000018_warp.nii.gz is missing"):
        TemplateImageReader(root, cubes, Parcellation(), None, "warps/1000018_warp.nii.gz").read(
            row
        )


def test_a_registration_of_images_that_are_not_native_is_refused(
    ica: Path, tmp_path: Path, cubes: Atlas, dense_atlas: Atlas
) -> None:
    named = ica / "sub-1_space-MNI152NLin2009cAsym_bold.nii.gz"
    named.symlink_to((ica / "filtered_func_data_clean.nii.gz").resolve())
    with pytest.raises(ScanError, match=r"is in MNI152NLin2009cAsym by its name, the registration"):
        read(named, cubes)
    named.rename(ica / "sub-1_space-T1w_bold.nii.gz")
    assert read(ica / "sub-1_space-T1w_bold.nii.gz", cubes).space == SPACE
    path, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)))
    with pytest.raises(ScanError, match="is CIFTI, the registration .* is for volumes in native"):
        read_image(path, dense_atlas, TR, Parcellation(), None, ica / REGISTRATION)
