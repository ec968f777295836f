"""Whether an atlas is what its table says: order, sides, labels, geometry.

Each of these mistakes gives time series that look right. Raised here are sentences without the
name of the atlas; `get_atlas` puts it in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine

from semantoks.data.atlas.files import is_cifti
from semantoks.errors import UserError

MIDLINE = 2.0  # mm; nearer to it, a region may lie on either side
TOLERATED = 0.1  # part of the regions that may lie on the other side
SIDE = re.compile(r"(?:^|[_-])(?:([LR])H?|([lr])h)(?:$|[_-])")
NETWORKS = re.compile(r"\d+Networks_")


def hemisphere(name: str) -> str:
    """Side that a region's name tells (``_LH_``, ``-lh``, ``_L``): L, R or empty."""
    found = SIDE.search(name)
    return (found[1] or found[2]).upper() if found else ""


def require_order(regions: pd.DataFrame, expected_prefix: str) -> None:
    """Make sure that a Schaefer table is the one meant, and in its order.

    Parameters
    ----------
    regions : DataFrame
        With ``index`` and ``name``.
    expected_prefix : str
        ``7Networks_`` or ``17Networks_``.

    Raises
    ------
    UserError
        When names begin otherwise, labels do not rise, or the left hemisphere is not first.
    """
    odd = [name for name in regions["name"] if not name.startswith(expected_prefix)]
    if odd:
        raise UserError(
            f"{len(odd)} of {len(regions)} region names do not begin with '{expected_prefix}' "
            f"(the first: '{odd[0]}'); 7 and 17 networks order and name regions differently. Use "
            "the table that belongs to the image."
        )
    sides = [hemisphere(name) for name in regions["name"]]
    if not regions["index"].is_monotonic_increasing or sides != sorted(sides):
        raise UserError(
            "The table is not in Schaefer's order: labels rise, and the left hemisphere comes "
            "first. Use the table that belongs to the image."
        )


def require_one_family(regions: pd.DataFrame) -> None:
    """Make sure that Schaefer names, where there are any, are of 7 networks or of 17."""
    found = {match[0] for name in regions["name"] if (match := NETWORKS.match(name))}
    if len(found) > 1:
        raise UserError(
            f"The table mixes {' and '.join(sorted(found))} names, which order regions "
            "differently. Use the table that belongs to the image."
        )


def require_hemispheres(image: Any, regions: pd.DataFrame) -> None:
    """Make sure that regions said to be left lie left, in world coordinates (x < 0).

    A region within 2 mm of the midline may lie anywhere, and a tenth of the others. Sides are
    the column ``hemisphere`` or, where it is empty, what the name tells.

    Raises
    ------
    UserError
        When image and table are flipped against each other.
    """
    given = regions["hemisphere"] if "hemisphere" in regions else [""] * len(regions)
    said = [g or hemisphere(n) for g, n in zip(given, regions["name"], strict=True)]
    sided = [
        (i, n, s) for i, n, s in zip(regions["index"], regions["name"], said, strict=True) if s
    ]
    x = _cifti_sides(image) if is_cifti(image) else centroids(image)[:, 0]
    off = [
        (name, x[label])
        for label, name, side in sided
        if label < len(x) and abs(x[label]) >= MIDLINE and (x[label] < 0) != (side == "L")
    ]
    if len(off) > TOLERATED * len(sided):
        where = "in the other hemisphere" if is_cifti(image) else f"at x = {off[0][1]:.0f} mm"
        raise UserError(
            f"The image is flipped left-right against its table: {len(off)} of {len(sided)} "
            f"regions lie on the other side than they say (the first: '{off[0][0]}', {where}). "
            "Correct the image's affine, or use the table that belongs to it."
        )


def centroids(image: Any) -> np.ndarray:
    """Mean position of each label, mm; shape (largest label + 1, 3), NaN without voxels."""
    labels = np.asarray(image.dataobj).astype(int)
    voxels = np.argwhere(labels)
    points, found = apply_affine(image.affine, voxels), labels[tuple(voxels.T)]
    count = np.bincount(found, minlength=1)
    sums = [np.bincount(found, axis, minlength=1) for axis in points.T]
    with np.errstate(invalid="ignore"):
        return np.stack(sums, axis=1) / count[:, None]


def _cifti_sides(image: Any) -> np.ndarray:
    """As a position: −100 where a label lies in structures called left, 100 in right ones."""
    structures = image.header.get_axis(image.ndim - 1).name
    side = [(-100.0 if "LEFT" in n else 100.0 if "RIGHT" in n else 0.0) for n in structures]
    labels = np.asarray(image.dataobj).astype(int).ravel()
    return np.bincount(labels, side) / np.maximum(np.bincount(labels), 1)


def require_same_labels(image: Any, regions: pd.DataFrame) -> None:
    """Make sure that every row of the table has voxels, and every label but 0 a row.

    Raises
    ------
    UserError
    """
    inside = set(np.unique(np.asarray(image.dataobj)).astype(int).tolist()) - {0}
    named = set(regions["index"].tolist())
    if len(named) < len(regions):
        twice = regions["index"][regions["index"].duplicated()]
        raise UserError(f"The table has label {_few(twice)} twice. Give each region its own.")
    twice = regions["name"][regions["name"].duplicated()]
    if len(twice):
        raise UserError(f"The table names two regions '{twice.iloc[0]}'. Names must differ.")
    if named - inside:
        raise UserError(
            f"{len(named - inside)} of {len(named)} regions of the table have no voxel in the "
            f"image (labels {_few(named - inside)}). Use the table that belongs to the image."
        )
    if inside - named:
        raise UserError(
            f"{len(inside - named)} of {len(inside)} labels of the image have no row in the table "
            f"(labels {_few(inside - named)}). Use the table that belongs to the image."
        )


def _few(labels: Iterable[int]) -> str:
    ordered = sorted(labels)
    return ", ".join(map(str, ordered[:5])) + (", …" if len(ordered) > 5 else "")


def require_affine(image: Any) -> None:
    """Make sure that voxels have a place in the world: a finite, invertible, declared affine.

    Raises
    ------
    UserError
    """
    if is_cifti(image):
        return
    affine = np.asarray(image.affine)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise UserError(
            f"The image's affine is not finite or not invertible ({affine[:3].tolist()}). Correct "
            "its header."
        )
    codes = [int(image.header[key]) for key in ("qform_code", "sform_code") if key in image.header]
    if codes and not any(codes):
        raise UserError(
            "The image's qform and sform codes are both 0, so that nobody knows where its voxels "
            "lie or which side is left. Set the affine in its header."
        )
