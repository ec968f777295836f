"""Draw values of regions on a glass brain and on the surface, with nilearn and without a network.

The surface is fsaverage5, which comes with nilearn.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

# On import matplotlib reads a matplotlibrc in the working folder, which may be anybody's.
with chdir(Path(__file__).parent):
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from nilearn import plotting
from nilearn.datasets import load_fsaverage, load_fsaverage_data
from nilearn.surface import vol_to_surf

COLORS = "RdBu_r"
DOTS_PER_INCH = 90
MESH = "fsaverage5"  # the others are downloaded
HEMISPHERES = ("left", "right")
VIEWS = (("left", "lateral"), ("left", "medial"), ("right", "medial"), ("right", "lateral"))


class Brain:
    """A label image, and the regions that the vertices of a surface are in.

    Parameters
    ----------
    image : Path
        Label image in the space of an MNI152 template.
    """

    def __init__(self, image: Path) -> None:
        self._image = nib.load(image)
        self._label_V = np.asarray(self._image.dataobj).astype(int)
        outer, inner = (
            load_fsaverage("fsaverage5")["pial"],
            load_fsaverage("fsaverage5")["white_matter"],
        )
        labels = nib.Nifti1Image(self._label_V.astype(np.float32), self._image.affine)
        self._label_of_vertex = {
            side: vol_to_surf(
                labels,
                outer.parts[side],
                inner_mesh=inner.parts[side],
                interpolation="nearest_most_frequent",
            ).astype(int)
            for side in HEMISPHERES
        }

    @staticmethod
    def can_show(image: Path) -> bool:
        """Whether a file is a volume; CIFTI files of vertices are none."""
        return len(nib.load(image).shape) == 3

    def draw(self, value_of: Mapping[int, float], title: str) -> bytes:
        """Draw values by label; what has none is not coloured. Return a PNG file.

        Parameters
        ----------
        value_of : mapping of int to float
            By label of the image; not empty.
        title : str
        """
        limit = _two_digits(max((abs(v) for v in value_of.values()), default=0.0))
        value_of_label = np.full(max(int(self._label_V.max()), max(value_of)) + 1, np.nan)
        value_of_label[list(value_of)] = list(value_of.values())
        with mpl.rc_context({"font.family": "sans-serif", "font.size": 9}):
            figure = Figure(figsize=(8.6, 5.2))
            self._glass(figure, value_of_label, limit)
            self._surfaces(figure, value_of_label, limit)
            figure.suptitle(title, fontsize=10)
            return _png(figure)

    def _glass(self, figure: Figure, value_of_label: np.ndarray, limit: float) -> None:
        values_V = np.nan_to_num(value_of_label[self._label_V])
        plotting.plot_glass_brain(
            nib.Nifti1Image(values_V.astype(np.float32), self._image.affine),
            display_mode="lyrz",
            plot_abs=False,
            cmap=COLORS,
            vmin=-limit,
            vmax=limit,
            colorbar=True,
            figure=figure,
            axes=(0.0, 0.48, 1.0, 0.46),
        )

    def _surfaces(self, figure: Figure, value_of_label: np.ndarray, limit: float) -> None:
        """Draw both sides of both hemispheres below the glass brain."""
        inflated, sulci = (
            load_fsaverage("fsaverage5")["inflated"],
            load_fsaverage_data("fsaverage5"),
        )
        views = [("left", "lateral"), ("left", "medial"), ("right", "medial"), ("right", "lateral")]
        for column, (side, view) in enumerate(views):
            axes = figure.add_axes((0.25 * column, 0.0, 0.25, 0.46), projection="3d")
            plotting.plot_surf_stat_map(
                inflated.parts[side],
                value_of_label[self._label_of_vertex[side]],
                bg_map=sulci.data.parts[side],
                hemi=side,
                view=view,
                engine="matplotlib",
                cmap=COLORS,
                vmin=-limit,
                vmax=limit,
                colorbar=False,
                axes=axes,
                figure=figure,
            )


def draw_connectome(connectome: pd.DataFrame) -> bytes:
    """Draw correlations between networks as a matrix; return a PNG file."""
    size = 3.4 + 0.22 * len(connectome)
    limit = _two_digits(float(np.nanmax(np.abs(connectome.to_numpy()), initial=0.0)))
    with mpl.rc_context({"font.family": "sans-serif", "font.size": 9}):
        figure = Figure(figsize=(size, size))
        FigureCanvasAgg(figure)  # nilearn asks it how wide the labels are
        plotting.plot_matrix(
            connectome.to_numpy(),
            labels=list(connectome.columns),
            axes=figure.add_subplot(),
            cmap=COLORS,
            vmin=-limit,
            vmax=limit,
        )
        return _png(figure)


def _two_digits(value: float) -> float:
    """Round up to two digits, and never to zero: the limit of a scale of colours."""
    value = max(value, 1e-3)
    step = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(np.ceil(value / step) * step)


def _png(figure: Figure) -> bytes:
    """Render without the version of matplotlib, so that the same values give the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=DOTS_PER_INCH,
        bbox_inches="tight",
        metadata={"Software": None},
    )
    return buffer.getvalue()
