"""Runs of one file per volume are read as if they were one file."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from semantoks.data.index.raw.headers import Header
from semantoks.data.parcellate.images.nifti import open_image, stored_volumes
from semantoks.data.preprocess.minimal.reading import read_bold
from semantoks.data.stacks import is_stack, stack_of, volumes_of
from semantoks.errors import ScanError
from tests.unit.data.parcellate.conftest import AFFINE, SHAPE

EXTENSIONS = ("", ".nii", ".nii.gz")


def write_stack(
    folder: Path, data: np.ndarray, extension: str = "", affine: np.ndarray = AFFINE
) -> list[Path]:
    """Write volumes from number 1 on; as for SRPBS, an extension is not needed."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(data.shape[3]):
        image = nib.Nifti1Image(data[..., number], affine)
        image.header.set_sform(affine, 4)
        path = folder / f"vol_{number + 1:04d}{extension}"
        nib.save(image, path.with_name(path.name + (".nii" if not extension else "")))
        if not extension:
            path.with_name(f"{path.name}.nii").rename(path)
        paths.append(path)
    return paths


@pytest.fixture
def data() -> np.ndarray:
    return np.random.default_rng(0).integers(900, 1100, (*SHAPE, 100)).astype(np.int16)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_stack_is_read_as_one_run(tmp_path: Path, data: np.ndarray, extension: str) -> None:
    paths = write_stack(tmp_path / "stack", data, extension)
    stack = stack_of(paths[::-1])
    assert stack == tmp_path / f"stack/vol_*{extension}" and is_stack(stack)
    assert volumes_of(stack) == paths
    raw = read_bold(stack, 2.0)
    np.testing.assert_array_equal(raw.images, data)
    np.testing.assert_array_equal(raw.affine, AFFINE)
    image = open_image(stack)
    with stored_volumes(stack, image) as volumes:
        stored = [volume.copy() for volume in volumes]
    np.testing.assert_array_equal(stored[7].reshape(SHAPE, order="F"), data[..., 7])
    assert Header.of(paths[0]).is_oriented


def test_scaling_is_applied(tmp_path: Path) -> None:
    floats = np.linspace(0, 1, 10 * 10 * 10 * 12).reshape(10, 10, 10, 12)
    (tmp_path / "s").mkdir()
    for number in range(12):
        image = nib.Nifti1Image(floats[..., number], AFFINE)
        image.header.set_slope_inter(0.001, 0.5)
        image.set_data_dtype(np.int16)
        image.header.set_sform(AFFINE, 1)
        raw = np.rint((floats[..., number] - 0.5) / 0.001).astype(np.int16)
        image = nib.Nifti1Image(raw, AFFINE)
        image.header.set_slope_inter(0.001, 0.5)
        nib.save(image, tmp_path / f"s/v{number}.nii")
    images = read_bold(tmp_path / "s/v*.nii", 2.0).images
    np.testing.assert_allclose(images, floats, atol=6e-4)


def test_numbers_without_zeros_are_in_order(tmp_path: Path) -> None:
    for number in (10, 9, 11):
        (tmp_path / f"x{number}.nii").touch()
    (tmp_path / "x9.mat").touch()
    names = [path.name for path in volumes_of(tmp_path / "x*.nii")]
    assert names == ["x9.nii", "x10.nii", "x11.nii"]


def test_a_gap_is_a_reason(tmp_path: Path, data: np.ndarray) -> None:
    paths = write_stack(tmp_path, data[..., :5])
    paths[2].unlink()
    with pytest.raises(ScanError, match="volumes vol_0001 to vol_0005 lack number 3, so time"):
        open_image(tmp_path / "vol_*")
    paths[0].rename(tmp_path / "vol_01")
    paths[1].rename(tmp_path / "vol_1")
    with pytest.raises(ScanError, match="number"):
        open_image(tmp_path / "vol_*")
    with pytest.raises(ScanError, match="no volume has such a name"):
        open_image(tmp_path / "run_*")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"shape": (9, 10, 10)}, "vol_0002 and vol_0001 differ in their shapes"),
        ({"affine": np.diag([4.0, 4, 5, 1])}, "differ in their affines"),
        ({"kind": np.float32}, "differ in their data types"),
        ({"slope": 2.0}, "differ in their scalings"),
        ({"shape": (10, 10, 10, 3)}, "vol_0002 is not 3-D, but a volume of a run: shape"),
        ({"cut": True}, "vol_0002|truncated"),
    ],
)
def test_volumes_that_differ_are_a_reason(
    tmp_path: Path, data: np.ndarray, change: dict[str, object], reason: str
) -> None:
    paths = write_stack(tmp_path, data[..., :4])
    shape, kind = change.get("shape", SHAPE), change.get("kind", np.int16)
    image = nib.Nifti1Image(np.zeros(shape, kind), change.get("affine", AFFINE))  # type: ignore[arg-type]
    image.header.set_slope_inter(float(change.get("slope", 1.0)), 0)  # type: ignore[arg-type]
    nib.save(image, tmp_path / "odd.nii")
    (tmp_path / "odd.nii").rename(paths[1])
    if "cut" in change:
        paths[1].write_bytes(paths[0].read_bytes()[:700])
    with pytest.raises(ScanError, match=reason):
        stack = tmp_path / "vol_*"
        with stored_volumes(stack, open_image(stack)) as volumes:
            list(volumes)


def test_runs_and_other_files_are_no_stack(tmp_path: Path, data: np.ndarray) -> None:
    """Each of two runs is a run, though only numbers differ."""
    for number in (1, 2):
        nib.save(nib.Nifti1Image(data, AFFINE), tmp_path / f"rest_{number}.nii.gz")
    assert stack_of(sorted(tmp_path.iterdir())) is None
    assert stack_of([tmp_path / "a_1.nii", tmp_path / "b_1.nii"]) is None
    assert stack_of([tmp_path / "a_1.nii", tmp_path / "a_1.mat"]) is None
    (tmp_path / "a_*.nii").touch()
    assert not is_stack(tmp_path / "a_*.nii")
