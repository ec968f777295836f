from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from semantoks.report.scan_page.pictures import (
    MISSING,
    MOST_COLUMNS,
    MOST_ROWS,
    carpet,
    connectivity,
    connectome,
    data_uri,
    within_and_between,
)
from semantoks.report.scan_page.slices import Outlines, Volume, montage
from semantoks.report.scan_page.traces import HEIGHT, regional_dvars, trace

NETWORKS = ("B", "A", "B")


def test_a_picture_can_be_decoded() -> None:
    picture = np.zeros((20, 30, 3))
    picture[:, :15] = 1
    head, _, body = data_uri(picture).partition(",")
    assert head == "data:image/webp;base64"
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(body))).convert("L"))
    assert decoded.shape == (20, 30)
    assert decoded[:, :14].min() > 240 and decoded[:, 16:].max() < 15


def test_a_carpet_is_sorted_by_network_and_marks_regions_without_data() -> None:
    series = np.array([[0.0, 2.0], [-2.0, 1.0], [np.nan, np.nan]])
    picture = carpet(series, NETWORKS)
    assert picture[:, :, 0].tolist()[:2] == [[0.0, 0.75], [0.5, 1.0]]
    assert (picture[2] == MISSING).all()


def test_large_scans_are_averaged_to_small_pictures() -> None:
    rng = np.random.default_rng(0)
    series = rng.standard_normal((457, 1200))
    assert carpet(series, ["A"] * 457).shape == (MOST_ROWS, MOST_COLUMNS, 3)
    assert len(data_uri(carpet(series, ["A"] * 457))) < 60_000
    halves = np.repeat([[-1.0], [1.0]], 200, axis=0) * np.ones(10)
    grey = carpet(halves, ["A"] * 400)[:, :, 0]
    assert (grey[:50] == 0.25).all() and (grey[50:] == 0.75).all()


def test_connectivity_is_that_of_numpy_and_leaves_out_regions_without_data() -> None:
    rng = np.random.default_rng(0)
    series = rng.standard_normal((3, 50))
    series[2] = np.nan
    matrix = connectivity(series)
    assert matrix[0, 1] == pytest.approx(np.corrcoef(series[:2])[0, 1])
    assert np.isnan(matrix[2]).all()
    # Sorted, region 2 of network B is last; grey where it has no data.
    picture = connectome(matrix, NETWORKS)
    assert (picture[2] == 0.5).all()
    assert picture[0, 0, 0] > picture[0, 0, 2]  # r = 1 is red
    known = np.array([[1, 0.2, 0.6], [0.2, 1, 0.1], [0.6, 0.1, 1]])
    within, between = within_and_between(known, NETWORKS)
    assert (within, between) == (pytest.approx(0.6), pytest.approx(0.15))


def ball(radius: float, voxel: float = 4.0) -> Volume:
    """Bright ball around the middle of the brain on a dim background."""
    axis = np.arange(-100, 100, voxel)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    inside = x**2 + (y + 18) ** 2 + (z - 10) ** 2 < radius**2
    affine = np.diag([voxel, voxel, voxel, 1.0])
    affine[:3, 3] = -100
    return Volume(np.where(inside, 1.0, 0.1), affine)


def test_slices_show_an_image_at_its_place_with_its_mask_and_no_face() -> None:
    mask = ball(40)
    plain = montage(ball(40), Outlines(None, False))
    brain = Volume((mask.values == 1).astype(float), mask.affine)
    both = montage(ball(40), Outlines(brain, True))
    assert plain.shape == both.shape and both.min() >= 0 and both.max() <= 1
    outlined = (both[..., 0] == 1.0) & (both[..., 2] == 0.1)
    assert outlined.any()
    # The line runs where the ball ends: inside it is bright, and the line is thin.
    assert plain[outlined].min() > 0.4 and outlined.sum() < 1000
    # The face is in front of the brain at the lower edge of the sagittal slices.
    face = slice(76, 87), slice(88, 100)
    assert both[face].max() == 0 and plain[face].min() > 0


def test_a_curve_has_its_peak_at_the_top_and_the_limit_below() -> None:
    values = np.r_[np.nan, np.full(999, 0.2)]
    values[500] = 2.0
    curve = trace(values, "FD", limit=0.5)
    assert curve is not None
    heights = [float(point.split(",")[1]) for point in curve.points.split()]
    assert len(heights) <= 240 and min(heights) == 0.0
    assert curve.limit == HEIGHT * 0.75  # a quarter of the height, in all scans
    assert (curve.top, curve.peak) == (2.0, 2.0)
    values[500] = 12.0
    higher = trace(values, "FD", limit=0.5)
    assert higher is not None and (higher.top, higher.peak) == (2.0, 12.0)
    # Cut at the upper edge; the first volume, which is not known, is drawn as the mean.
    assert higher.points.split()[1:] == curve.points.split()[1:]
    assert trace(np.full(5, np.nan), "FD") is None


def test_dvars_is_the_root_mean_square_of_changes() -> None:
    series = np.array([[0.0, 1.0, 1.0], [0.0, 3.0, 3.0], [np.nan] * 3])
    assert regional_dvars(series)[1:] == pytest.approx([np.sqrt(5), 0])
