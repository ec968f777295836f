"""Grayordinates of a dense time series are matched with the atlas by structure and number."""

from __future__ import annotations

import gzip
import tracemalloc
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine
from nibabel.cifti2 import BrainModelAxis, LabelAxis, SeriesAxis

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.atlas.images import read_label_image
from semantoks.data.declared import require_plausible_axes
from semantoks.data.parcellate.images.cifti import cifti_means, header_tr
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.errors import ScanError, UserError
from tests.unit.data.parcellate.conftest import LEFT, dense_axis, write_dense


def test_vertices_are_matched_by_number_not_by_position(tmp_path: Path, dense_atlas: Atlas) -> None:
    left, right = np.arange(10, 90), np.arange(5, 100)  # a file without the medial wall
    path, data = write_dense(tmp_path, dense_axis(left, right))
    means = cifti_means(path, dense_atlas, 0.5, 0.8)
    by_hand = [
        data[:, 20:50].mean(1),  # left 30-59
        data[:, :20].mean(1),  # left 10-29 of 0-29
        data[:, 80 : 80 + 35].mean(1),  # right 5-39 of 0-39
        data[:, -2:].mean(1),
    ]
    np.testing.assert_allclose(means.means_TC, np.transpose(by_hand), rtol=1e-5)
    assert means.tsnr == pytest.approx(33, rel=0.1)
    assert means.dvars == pytest.approx(4.2, rel=0.1)
    strict = cifti_means(path, dense_atlas, 0.8, 0.8)
    assert np.isnan(strict.means_TC).all(0).tolist() == [False, True, False, False]


def on_grid(affine: np.ndarray) -> BrainModelAxis:
    """Grayordinates of the left cortex, and voxels at the same places on any grid of 2 mm."""
    x, y, z = np.meshgrid(np.arange(-4, 5, 2), np.arange(2, 7, 2), [4, 6], indexing="ij")
    places = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    mask = np.zeros((20, 20, 20), bool)
    mask[tuple(np.rint(apply_affine(np.linalg.inv(affine), places)).astype(int).T)] = True
    voxels = BrainModelAxis.from_mask(mask, "brain_stem", affine=affine)
    return BrainModelAxis.from_surface(np.arange(100), 100, LEFT) + voxels


def grid(x: float, *origin: float) -> np.ndarray:
    affine = np.diag([x, 2.0, 2, 1])
    affine[:3, 3] = origin
    return affine


@pytest.mark.parametrize(
    "affine", [grid(2, -20, -10, -10), grid(-2, 20, -10, -10), grid(2, -16.0001, -6, -14)]
)
def test_voxels_are_matched_by_place_not_by_index(tmp_path: Path, affine: np.ndarray) -> None:
    """Left and right change places if the voxels of one header count to the left."""
    atlas = atlas_on(grid(2, -20, -10, -10))
    axis = on_grid(affine)
    path, data = write_dense(tmp_path, axis)
    means = cifti_means(path, atlas, 0.5, 0.8)
    x_G = apply_affine(affine, axis.voxel)[100:, 0]
    by_hand = [data[:, :100], data[:, 100:][:, x_G < -1], data[:, 100:][:, x_G > -1]]
    np.testing.assert_allclose(
        means.means_TC, np.transpose([part.mean(1) for part in by_hand]), rtol=1e-5
    )
    assert means.coverage_C.tolist() == [1, 1, 1]


def atlas_on(affine: np.ndarray) -> Atlas:
    """The cortex, and the voxels at the left and at the right of x = -1."""
    axis = on_grid(affine)
    labels = np.ones((1, len(axis)), np.float32)
    labels[0, 100:] = np.where(apply_affine(affine, axis.voxel)[100:, 0] < -1, 2, 3)
    names = LabelAxis(["toy"], {0: ("???", (0, 0, 0, 0))})
    regions = pd.DataFrame({"index": [1, 2, 3], "name": list("abc"), "network": list("AAB")})
    return Atlas("toy", nib.Cifti2Image(labels, (names, axis)), regions, "fsLR", "0" * 64)


def test_voxels_on_another_grid_are_refused(tmp_path: Path) -> None:
    path, _ = write_dense(tmp_path, on_grid(grid(2, -19, -10, -10)))
    atlas = atlas_on(grid(2, -20, -10, -10))
    with pytest.raises(ScanError, match="lie between those of the atlas; .* different grids"):
        cifti_means(path, atlas, 0.5, 0.8)
    labels = np.asarray(atlas.image.dataobj) == 1
    image = nib.Cifti2Image(labels.astype(np.float32), atlas.image.header)
    cortex = replace(atlas, image=image, regions=atlas.regions[:1])
    assert np.isfinite(cifti_means(path, cortex, 0.5, 0.8).means_TC).all()


def test_files_that_do_not_fit_give_a_reason(tmp_path: Path, dense_atlas: Atlas) -> None:
    path, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)))
    with pytest.raises(ScanError, match=r"has a TR of 0.8 s, its sidecar of 2 s"):
        cifti_means(path, dense_atlas, 0.5, 2.0)
    path, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100), vertices=120))
    with pytest.raises(ScanError, match="different meshes"):
        cifti_means(path, dense_atlas, 0.5, 0.8)
    path, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)))
    whole = path.read_bytes()
    path.write_bytes(whole[:-9000])
    with pytest.raises(ScanError, match="truncated"):
        cifti_means(path, dense_atlas, 0.5, 0.8)
    path.write_bytes(whole[:600])
    with pytest.raises(ScanError, match="not a readable CIFTI file"):
        cifti_means(path, dense_atlas, 0.5, 0.8)


def test_grayordinates_that_never_change_have_no_data(tmp_path: Path, dense_atlas: Atlas) -> None:
    axis = dense_axis(np.arange(100), np.arange(100))
    path, data = write_dense(tmp_path, axis)
    expected = cifti_means(path, dense_atlas, 0.1, 0.8)
    data[:, :20] = 77  # an infinite tSNR each; most of the first region
    image = nib.load(path)
    nib.save(nib.Cifti2Image(data, image.header), path)
    means = cifti_means(path, dense_atlas, 0.1, 0.8)
    assert means.coverage_C[1] == pytest.approx(1 / 3)
    np.testing.assert_allclose(means.means_TC[:, 1], data[:, 20:30].mean(1), rtol=1e-5)
    assert means.tsnr == pytest.approx(expected.tsnr, rel=0.05)
    data[:, :120] = 77  # more than half of them: the median would be infinite
    nib.save(nib.Cifti2Image(data, image.header), path)
    assert cifti_means(path, dense_atlas, 0.1, 0.8).tsnr == pytest.approx(33, rel=0.1)
    nib.save(nib.Cifti2Image(data - data.mean(axis=0), image.header), path)
    demeaned = cifti_means(path, dense_atlas, 0.1, 0.8)
    assert np.isnan([demeaned.tsnr, demeaned.dvars]).all()


def test_quality_is_of_the_volumes_in_steady_state(tmp_path: Path, dense_atlas: Atlas) -> None:
    path, data = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)))
    bright, steady = data.copy(), np.setdiff1d(np.arange(50), [0, 7])
    bright[[0, 7]] *= 1.3
    nib.save(nib.Cifti2Image(bright, nib.load(path).header), path)
    means = cifti_means(path, dense_atlas, 0.5, 0.8, steady)
    everything = cifti_means(path, dense_atlas, 0.5, 0.8)
    np.testing.assert_array_equal(means.means_TC, everything.means_TC)
    used = np.r_[0:60, 100:140, 200:202]  # in a region
    kept_TG, changes_TG = data[steady][:, used], np.diff(data[:, used], axis=0)
    changes_TG = changes_TG[steady[:-1][np.diff(steady) == 1]]
    dvars = 100 * np.sqrt((changes_TG**2).mean(axis=1)).mean() / kept_TG.mean()
    assert means.tsnr == pytest.approx(np.median(kept_TG.mean(0) / kept_TG.std(0)), rel=1e-4)
    assert means.dvars == pytest.approx(dvars, rel=1e-4)
    assert means.tsnr > 1.5 * everything.tsnr and means.dvars < everything.dvars
    alone = cifti_means(path, dense_atlas, 0.5, 0.8, steady[:1])
    assert np.isnan([alone.tsnr, alone.dvars]).all()


def test_a_first_axis_that_is_not_time_is_refused(tmp_path: Path, dense_atlas: Atlas) -> None:
    axis = dense_axis(np.arange(100), np.arange(100))
    path, data = write_dense(tmp_path, axis)
    nib.save(nib.Cifti2Image(data, (SeriesAxis(0, 0.8, 50, "HERTZ"), axis)), path)
    with pytest.raises(ScanError, match="is in HERTZ, not in seconds"):
        cifti_means(path, dense_atlas, 0.5, 0.8)


@pytest.mark.parametrize("count", [30_000_000, 1, -1])
@pytest.mark.parametrize("kind", ["vertices", "voxels"])
def test_grayordinates_that_are_declared_but_not_listed(
    tmp_path: Path, kind: str, count: int
) -> None:
    path, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)))
    image = nib.load(path)
    models = list(image.header.matrix.get_index_map(1).brain_models)
    models[0 if kind == "vertices" else -1].index_count = count
    # Saving the CIFTI image itself would make its axes.
    raw = nib.Nifti2Image(np.zeros((1, 1, 1, 1, *image.shape), np.int8), None)
    raw.header.extensions.append(nib.nifti1.Nifti1Extension(32, image.header.to_xml()))
    raw.header["intent_code"] = 3002
    nib.save(raw, path)
    tracemalloc.start()
    with pytest.raises(ScanError, match=rf"declares {count:,} grayordinates of .*, but lists \d"):
        header_tr(path)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(path.read_bytes()))
    for name in (path, tmp_path / "a.nii.gz"):
        with pytest.raises(UserError, match=rf"declares {count:,} grayordinates"):
            read_label_image(name)
    with pytest.raises(ScanError, match=rf"declares {count:,} grayordinates"):
        open_image(path.rename(tmp_path / "bold.nii"))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_as_many_grayordinates_as_values(tmp_path: Path) -> None:
    path, data = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)))
    image = nib.Nifti2Image.from_filename(path)
    require_plausible_axes(image, path)
    fewer = nib.Nifti2Image(np.zeros((1, 1, 1, 1, len(data), 5)), None, image.header)
    with pytest.raises(ScanError, match=r"has \d+ × 5 values, but lists 20\d grayordinates"):
        require_plausible_axes(fewer, path)
