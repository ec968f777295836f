"""Consistency checks between the image and the table of an atlas: order, sides, labels, affine.

Each of these errors would yield plausible but wrong time series. The messages do not contain the
name of the atlas; `get_atlas` adds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks.data.atlas.images import LabelImage, centroids, is_cifti
from semantoks.data.atlas.regions import hemisphere_from_name
from semantoks.errors import UserError

MIDLINE = 2.0  # mm; regions closer to the midline are not checked
MAX_MISMATCHED = 0.1  # share of lateralised regions that may lie on the opposite side
NETWORKS = re.compile(r"\d+Networks_")


def require_order(regions: pd.DataFrame, expected_prefix: str) -> None:
    """Check that a Schaefer table has the expected networks and the published order.

    Parameters
    ----------
    regions : DataFrame
        With ``index`` and ``name``.
    expected_prefix : str
        ``7Networks_`` or ``17Networks_``.

    Raises
    ------
    UserError
        When a name has another prefix, labels do not increase, or the left hemisphere is not first.
    """
    unexpected = [name for name in regions["name"] if not name.startswith(expected_prefix)]
    if unexpected:
        raise UserError(
            f"{len(unexpected)} of {len(regions)} region names do not begin with "
            f"'{expected_prefix}' (first: '{unexpected[0]}'). The versions with 7 and 17 networks "
            "order and name regions differently; use the table that belongs to the image."
        )
    # Sorting tests "left first", because "L" sorts before "R".
    sides = [hemisphere_from_name(name) for name in regions["name"]]
    if not regions["index"].is_monotonic_increasing or sides != sorted(sides):
        raise UserError(
            "The table is not in the order of the Schaefer atlas (increasing labels, left "
            "hemisphere first). Use the table that belongs to the image."
        )


def require_single_version(regions: pd.DataFrame) -> None:
    """Check that Schaefer names, if any, all have 7 networks or all have 17.

    Raises
    ------
    UserError
        When both occur.
    """
    prefixes = {match[0] for name in regions["name"] if (match := NETWORKS.match(name))}
    if len(prefixes) > 1:
        raise UserError(
            f"The table mixes {' and '.join(sorted(prefixes))} names, which order regions "
            "differently. Use the table that belongs to the image."
        )


def require_hemispheres(image: LabelImage, regions: pd.DataFrame) -> None:
    """Check that left regions have x < 0 in world coordinates, and right ones x > 0.

    Regions within 2 mm of the midline are ignored, and a tenth of the others may be on the opposite
    side. The side of a region is its ``hemisphere`` or, if that is empty, taken from its name.

    Raises
    ------
    UserError
        When image and table are flipped relative to each other.
    """
    x = _x_of_structures(image) if is_cifti(image) else centroids(image)[:, 0]
    lateral = [
        (label, name, side)
        for label, name, side in zip(
            regions["index"], regions["name"], _sides(regions), strict=True
        )
        if side
    ]
    # Labels beyond the end of `x` have no voxel; `require_same_labels` reports them.
    mismatched = [
        (name, x[label])
        for label, name, side in lateral
        if label < len(x) and abs(x[label]) >= MIDLINE and (x[label] < 0) != (side == "L")
    ]
    if len(mismatched) > MAX_MISMATCHED * len(lateral):
        name, position = mismatched[0]
        where = "in the other hemisphere" if is_cifti(image) else f"at x = {position:.0f} mm"
        raise UserError(
            f"The image is flipped left-right relative to its table: {len(mismatched)} of "
            f"{len(lateral)} regions lie in the opposite hemisphere (first: '{name}', {where}). "
            "Correct the affine of the image, or use the table that belongs to it."
        )


def _sides(regions: pd.DataFrame) -> list[str]:
    column = regions["hemisphere"] if "hemisphere" in regions else [""] * len(regions)
    return [
        side or hemisphere_from_name(name)
        for side, name in zip(column, regions["name"], strict=True)
    ]


def _x_of_structures(image: nib.Cifti2Image) -> np.ndarray:
    """Return a pseudo-coordinate per label: −100 in left brain structures, 100 in right ones."""
    # A CIFTI file has no coordinates of vertices, only the structure that each belongs to.
    structures = image.header.get_axis(image.ndim - 1).name
    x = [(-100.0 if "LEFT" in n else 100.0 if "RIGHT" in n else 0.0) for n in structures]
    labels = np.asarray(image.dataobj).astype(int).ravel()
    return np.bincount(labels, x) / np.maximum(np.bincount(labels), 1)


def require_same_labels(image: LabelImage, regions: pd.DataFrame) -> None:
    """Check that every row of the table has voxels and every label except 0 has a row.

    Raises
    ------
    UserError
        When image and table have different labels.
    """
    in_image = set(np.unique(np.asarray(image.dataobj)).astype(int).tolist()) - {0}
    in_table = set(regions["index"].tolist())
    if in_table - in_image:
        raise UserError(
            f"{len(in_table - in_image)} of {len(in_table)} regions of the table have no voxel in "
            f"the image (labels {_first_five(in_table - in_image)}). Use the table that belongs to "
            "the image."
        )
    if in_image - in_table:
        raise UserError(
            f"{len(in_image - in_table)} of {len(in_image)} labels of the image have no row in the "
            f"table (labels {_first_five(in_image - in_table)}). Use the table that belongs to the "
            "image."
        )


def require_unique(regions: pd.DataFrame) -> None:
    """Check that no label and no name occurs twice.

    Raises
    ------
    UserError
        When one does.
    """
    labels, names = (regions[c][regions[c].duplicated()] for c in ("index", "name"))
    if len(labels):
        raise UserError(
            f"The table contains label {_first_five(labels)} more than once. Give each region its "
            "own label."
        )
    if len(names):
        raise UserError(
            f"The table names two regions '{names.iloc[0]}'. Give each region its own name."
        )


def _first_five(labels: Iterable[int]) -> str:
    ordered = sorted(labels)
    return ", ".join(map(str, ordered[:5])) + (", …" if len(ordered) > 5 else "")


def require_affine(image: LabelImage) -> None:
    """Check that a volume has a finite, invertible and declared affine.

    Raises
    ------
    UserError
        When it has not.
    """
    if is_cifti(image):
        return
    affine = np.asarray(image.affine)
    # The determinant is the volume of a voxel in mm³; 1e-6 is far below that of any image.
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise UserError(
            f"The image's affine is not finite or not invertible ({affine[:3].tolist()}). Correct "
            "its header."
        )
    # With both codes 0, nibabel makes up an affine from the voxel sizes and flips x.
    codes = [int(image.header[key]) for key in ("qform_code", "sform_code") if key in image.header]
    if codes and not any(codes):
        raise UserError(
            "The image's qform and sform codes are both 0, so its orientation is undefined and "
            "left and right cannot be told apart. Set the affine and its code in the header."
        )
