"""Find and read what the pictures of a scan need beside its time series."""

from __future__ import annotations

import glob
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.config.origin import Source, split_zip
from semantoks.data.index.shards import DerivativeScan, RawScan, read_scans
from semantoks.data.layout import beside, images_of_run, space_of
from semantoks.data.parcellate.confounds import confounds_table
from semantoks.data.parcellate.images.nifti import open_image, read_data, stored_volumes
from semantoks.errors import ScanError
from semantoks.gate import require_file
from semantoks.report.scan_page.slices import Volume

log = logging.getLogger(__name__)
FIRST, VOLUMES = 4, 5  # volumes that are averaged: early ones, as a .gz is read from its start
PREPROCESSED = "_desc-preproc_bold"
FD, STD_DVARS, DVARS = "framewise_displacement", "std_dvars", "dvars"


@dataclass(frozen=True)
class ScanImages:
    """Images and confounds of a scan; None where there is none.

    Attributes
    ----------
    bold : Volume or None
        Average of a few volumes.
    mask : Volume or None
        Brain mask of the run.
    t1w : Volume or None
        In the same space.
    space : str
    fd, dvars : ndarray, shape (volumes,), or None
        Framewise displacement in mm, and DVARS; NaN in the first volume.
    dvars_label : str
        "standardized DVARS", or "DVARS" where the table has no other.
    problem : str
        Why images could not be read; empty if they could, or if there are none.
    """

    bold: Volume | None = None
    mask: Volume | None = None
    t1w: Volume | None = None
    space: str = ""
    fd: np.ndarray | None = None
    dvars: np.ndarray | None = None
    dvars_label: str = "DVARS"
    problem: str = ""


@dataclass(frozen=True)
class ImageFinder:
    """Reads the images of the scans of a shard.

    Attributes
    ----------
    data : Path
        Derivatives that `preprocess` wrote, or the data set itself.
    source : Source
    spaces : sequence of str
        Spaces of the images that the time series are from.
    files : dict of str to Path
        By scan, its image, or for `bids` the folder of its participant.
    """

    data: Path
    source: Source
    spaces: tuple[str, ...]
    files: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def of_shard(cls, shard: Path, data: Path, source: Source, space: str) -> ImageFinder:
        """Read the table of a shard."""
        files = {}
        if source == "bids":
            files = {scan.scan: data / scan.participant_id for scan in read_scans(shard, RawScan)}
        elif source == "fmriprep":
            given = read_scans(shard, DerivativeScan)
            # Unpacking a zip file would take longer than everything else.
            files = {
                scan.scan: data / scan.file
                for scan in given
                if scan.file and not split_zip(scan.file)[1]
            }
        return cls(data, source, tuple(space.split(", ")), files)

    def read(self, scan: str) -> ScanImages:
        """Read the images of a scan; what cannot be read is said and left out."""
        bold = self._bold(scan)
        if bold is None:
            return ScanImages()
        try:
            return _read(bold)
        except ScanError as error:
            return ScanImages(problem=str(error))
        except Exception as error:  # a picture that fails must not stop the page
            log.exception("%s: its images cannot be drawn", scan)
            return ScanImages(problem=f"{type(error).__name__}: {error}")

    def _bold(self, scan: str) -> Path | None:
        """Return the preprocessed image, in the space of the time series if there are several."""
        place = self.files.get(scan)
        if place is None:
            return None
        folder = place if self.source == "bids" else place.parent
        images = images_of_run(folder, scan, f"{PREPROCESSED}.nii*")
        same = [path for path in images if space_of(path) in self.spaces]
        if same or images:
            return (same or images)[0]
        is_volume = self.source == "fmriprep" and place.name.endswith((".nii", ".nii.gz"))
        return place if is_volume and not place.name.endswith("dtseries.nii") else None


def _read(bold: Path) -> ScanImages:
    """Read a preprocessed run and what lies beside it."""
    table = confounds_table(bold)
    confounds = pd.read_csv(require_file(table), sep="\t") if table.exists() else pd.DataFrame()
    mask = beside(bold, bold.name.replace(PREPROCESSED, "_desc-brain_mask"))
    is_standardized = STD_DVARS in confounds
    t1w = next(_t1w_files(bold), None)
    return ScanImages(
        bold=_mean_volume(bold),
        mask=_volume(mask) if mask.name != bold.name and mask.exists() else None,
        t1w=_volume(t1w) if t1w else None,
        space=space_of(bold),
        fd=_column(confounds, FD),
        dvars=_column(confounds, STD_DVARS if is_standardized else DVARS),
        dvars_label="standardized DVARS" if is_standardized else "DVARS",
    )


def _column(confounds: pd.DataFrame, name: str) -> np.ndarray | None:
    if name not in confounds:
        return None
    values = pd.to_numeric(confounds[name], errors="coerce").to_numpy(float)
    return values if np.isfinite(values).any() else None


def _t1w_files(bold: Path) -> Iterator[Path]:
    """Yield T1w images in the space of a run: of its session, else of its participant."""
    subject = glob.escape(bold.name.split("_")[0])
    space = glob.escape(f"space-{space_of(bold).split(':')[0]}")
    for folder in (bold.parent.parent, bold.parent.parent.parent):
        pattern = f"anat/{subject}_*{space}_*desc-preproc_T1w.nii*"
        yield from sorted(folder.glob(pattern))


def _volume(path: Path) -> Volume:
    image = open_image(path)
    values = np.asarray(read_data(image, path), np.float32)
    return Volume(values.reshape(values.shape[:3]), image.affine)


def _mean_volume(path: Path) -> Volume:
    """Average a few early volumes of a run; the whole run would take seconds to read."""
    image = open_image(path)
    first = min(FIRST, image.shape[3] - 1) if image.ndim == 4 else 0
    with stored_volumes(path, image) as volumes:
        total: np.ndarray = sum(
            volume.astype(np.float64) for volume in islice(volumes, first, first + VOLUMES)
        )  # type: ignore[assignment]
    # The stored numbers: a scale would change nothing of the picture.
    return Volume(total.reshape(image.shape[:3], order="F"), image.affine)
