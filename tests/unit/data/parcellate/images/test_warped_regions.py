"""A simulated person, warped to native space by formulas, has the same regional means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.images.means import ImageMeans
from semantoks.data.parcellate.images.volumes import average_volumes, regional_means
from semantoks.errors import ScanError
from tests.unit.data.parcellate.native import (
    MNI,
    REGISTRATION,
    RUN_SHAPE,
    RUN_SIZE,
    SHAPE,
    SIZE,
    Person,
    expected_means,
    native_atlas,
    registration,
    simulate,
)


@pytest.fixture(scope="module")
def person() -> Person:
    return simulate()


@pytest.fixture(scope="module")
def cubes() -> Atlas:
    return native_atlas()


def average(person: Person, folder: Path, atlas: Atlas) -> ImageMeans:
    bold = person.write(folder)
    return average_volumes(bold, folder / "mask.nii.gz", atlas, 0.5, folder / REGISTRATION)


def correlations(means: ImageMeans, expected_TC: np.ndarray) -> np.ndarray:
    assert np.isfinite(means.means_TC).all()
    pairs = zip(means.means_TC.T, expected_TC.T, strict=True)
    return np.array([np.corrcoef(*pair)[0, 1] for pair in pairs])


def with_field(person: Person, values: np.ndarray, affine: np.ndarray = MNI) -> Person:
    warp = nib.Nifti1Image(values.astype(np.float32), affine)
    warp.set_sform(affine, 4)
    return replace(person, warp=warp)


@pytest.mark.parametrize("neurological", [False, True])
def test_regional_means_are_those_of_the_unwarped_brain(
    tmp_path: Path, cubes: Atlas, neurological: bool
) -> None:
    means = average(simulate(neurological=neurological), tmp_path, cubes)
    expected_TC = expected_means(cubes)
    assert len(cubes.regions) > 50
    assert correlations(means, expected_TC).min() > 0.98
    # Not by chance: without the warp, the same regions are others.
    bold, mask = tmp_path / "filtered_func_data_clean.nii.gz", tmp_path / "mask.nii.gz"
    labels = cubes.regions["index"].tolist()
    unwarped = regional_means(bold, mask, cubes.image, labels, 0)
    known = np.isfinite(unwarped.means_TC).all(axis=0)
    wrong = [
        np.corrcoef(unwarped.means_TC[:, c], expected_TC[:, c])[0, 1] for c in np.flatnonzero(known)
    ]
    assert np.median(wrong) < 0.8


def test_both_storages_give_the_same_means(tmp_path: Path, cubes: Atlas, person: Person) -> None:
    other = simulate(neurological=True)
    np.testing.assert_allclose(other.warp.get_fdata(), person.warp.get_fdata(), atol=1e-4)
    first, second = (average(x, tmp_path / n, cubes) for n, x in (("a", person), ("b", other)))
    np.testing.assert_allclose(first.means_TC, second.means_TC, rtol=1e-6)
    np.testing.assert_allclose(first.coverage_C, second.coverage_C, atol=1e-5)
    assert first.tsnr == pytest.approx(second.tsnr) and first.dvars == pytest.approx(second.dvars)


def test_means_equal_those_of_an_image_that_is_warped(
    tmp_path: Path, cubes: Atlas, person: Person
) -> None:
    """Written out for one volume: eight voxels around each position, by their weights."""
    means = average(person, tmp_path, cubes)
    run, label = person.run.get_fdata(), np.asarray(cubes.image.dataobj)
    index_V3 = np.argwhere(label)
    # The atlas has the grid of the field, and both are radiological like the run: no flips.
    source_V3 = (index_V3 * SIZE + person.warp.get_fdata()[tuple(index_V3.T)]) / RUN_SIZE
    sums, weights = np.zeros(len(cubes.regions)), np.zeros(len(cubes.regions))
    mask = person.mask.get_fdata() > 0
    for corner in np.indices((2, 2, 2)).reshape(3, -1).T:
        at = np.floor(source_V3).astype(int) + corner
        weight = np.prod(1 - np.abs(source_V3 - at), axis=1) * mask[tuple(at.T)]
        np.add.at(sums, label[tuple(index_V3.T)] - 1, weight * run[(*at.T, 7)])
        np.add.at(weights, label[tuple(index_V3.T)] - 1, weight)
    np.testing.assert_allclose(means.means_TC[7], sums / weights, rtol=1e-6)
    size = np.bincount(label[label > 0])[1:]
    np.testing.assert_allclose(means.coverage_C, weights / size, rtol=1e-6)


def test_field_and_atlas_may_have_other_grids(tmp_path: Path, person: Person) -> None:
    # TemplateFlow stores MNI152NLin6Asym neurologically; 3 mm here.
    affine = np.array([[3.0, 0, 0, -90], [0, 3, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1]])
    finer = native_atlas(affine, (61, 73, 61))
    warp, _ = registration(person.run, (61, 73, 61), affine)
    expected_TC = expected_means(finer)
    for name, x in (("a", person), ("b", replace(person, warp=warp))):
        assert correlations(average(x, tmp_path / name, finer), expected_TC).min() > 0.98


def test_a_field_of_positions_is_recognised(tmp_path: Path, cubes: Atlas, person: Person) -> None:
    own = np.moveaxis(np.indices(SHAPE), 0, -1) * SIZE
    absolute = with_field(person, person.warp.get_fdata() + own)
    first, second = (average(x, tmp_path / n, cubes) for n, x in (("a", person), ("b", absolute)))
    np.testing.assert_allclose(first.means_TC, second.means_TC, rtol=1e-5)


def test_a_field_that_mirrors_the_brain_is_refused(
    tmp_path: Path, cubes: Atlas, person: Person
) -> None:
    own = np.moveaxis(np.indices(SHAPE), 0, -1) * SIZE
    source = person.warp.get_fdata() + own
    # As if the flip of the first axis were forgotten for a run in neurological storage.
    source[..., 0] = (RUN_SHAPE[0] - 1) * RUN_SIZE - source[..., 0]
    with pytest.raises(ScanError, match=r"mirrors 100% of the atlas, so that left is right"):
        average(with_field(person, source - own), tmp_path, cubes)


def test_a_field_that_contradicts_the_affine_registration_is_refused(
    tmp_path: Path, cubes: Atlas, person: Person
) -> None:
    wrong = person.warp.get_fdata() * [-1, 1, 1]  # x in the other direction, as ITK has it
    with pytest.raises(
        ScanError, match=r"differs from example_func2standard.mat beside it by \d\d mm"
    ):
        average(with_field(person, wrong), tmp_path, cubes)
    (tmp_path / "reg/example_func2standard.mat").write_text("1 0 0")
    with pytest.raises(ScanError, match=r"registration example_func2standard.mat cannot be read"):
        average_volumes(
            tmp_path / "filtered_func_data_clean.nii.gz", None, cubes, 0, tmp_path / REGISTRATION
        )


def test_fields_that_are_not_plausible_are_refused(
    tmp_path: Path, cubes: Atlas, person: Person
) -> None:
    field, own = person.warp.get_fdata(), np.moveaxis(np.indices(SHAPE), 0, -1) * SIZE
    folded = 20 * np.sin(own / 8)
    wrong = {
        "folds": with_field(person, field + folded),
        "has values that are not finite": with_field(person, np.where(own > 90, np.nan, field)),
        "out of the run": with_field(person, field + np.array([0, 0, 150])),
    }
    for words, other in wrong.items():
        # The matrix would contradict them as well, and need not be there.
        folder = tmp_path / words.replace(" ", "")
        bold = other.write(folder)
        (folder / "reg/example_func2standard.mat").unlink()
        with pytest.raises(ScanError, match=words):
            average_volumes(bold, None, cubes, 0.5, folder / REGISTRATION)


def test_regions_beyond_the_run_or_its_mask_have_no_data(
    tmp_path: Path, cubes: Atlas, person: Person
) -> None:
    cut = person.mask.get_fdata().astype(np.uint8)
    cut[:, :, :14] = 0
    means = average(replace(person, mask=nib.Nifti1Image(cut, person.mask.affine)), tmp_path, cubes)
    lost = np.isnan(means.means_TC).any(axis=0)
    assert 5 < lost.sum() < len(lost) / 2 and (means.coverage_C[lost] < 0.5).all()
    expected_TC = expected_means(cubes)[:, ~lost]
    whole = replace(means, means_TC=means.means_TC[:, ~lost])
    assert np.median(correlations(whole, expected_TC)) > 0.98
