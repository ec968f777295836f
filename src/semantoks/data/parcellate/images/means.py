"""What averaging an image over an atlas gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semantoks.errors import ScanError

MIN_OVERLAP = 0.5  # fraction of the atlas that must lie in an image; less is another space or mesh


@dataclass(frozen=True)
class ImageMeans:
    """Regional means of an image, with quality measures from the same pass over the data.

    Attributes
    ----------
    means_TC : ndarray of float64, shape (volumes, regions)
        NaN where a region is not covered.
    coverage_C : ndarray
        Fraction of each region that has data.
    tsnr : float
        Median over voxels of the temporal mean / standard deviation; NaN if the mean was removed.
    dvars : float
        Root mean square, over voxels, of the change from volume to volume; mean over time, in % of
        the mean signal (Power et al. 2012, doi:10.1016/j.neuroimage.2011.10.018). NaN as `tsnr`.
        Both are of the volumes in steady state, and NaN if no two of these follow each other.
    """

    means_TC: np.ndarray
    coverage_C: np.ndarray
    tsnr: float
    dvars: float

    @property
    def measures(self) -> dict[str, float]:
        """Quality measures by name."""
        return {"tsnr": self.tsnr, "dvars": self.dvars}


def is_demeaned(signal_T: np.ndarray) -> bool:
    """Whether other software has removed the mean, so that nothing can be measured against it.

    The magnitude of an MR signal is positive; around a mean of 0, about half of the volumes are
    below it. A small ratio of mean and deviation would not tell: an artefact has that as well.

    Parameters
    ----------
    signal_T : ndarray
        Sum or mean over the brain, per volume.
    """
    return bool((signal_T < 0).any())


def require_finite(values_TX: np.ndarray) -> None:
    """Refuse an image with NaN or infinite values inside the brain.

    Parameters
    ----------
    values_TX : ndarray, shape (volumes, voxels or regions)

    Raises
    ------
    ScanError
        With the number of such volumes and the first of them.
    """
    invalid_T = np.flatnonzero(~np.isfinite(values_TX).all(axis=1))
    if len(invalid_T):
        raise ScanError(
            f"{len(invalid_T)} of {len(values_TX)} volumes have NaN or infinite values inside the "
            f"brain, first volume {invalid_T[0] + 1}"
        )
