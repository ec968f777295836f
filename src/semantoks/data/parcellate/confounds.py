"""Confounds of a run, by the name of a denoising strategy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from semantoks.config import Parcellation
from semantoks.data.layout import beside, scan_of
from semantoks.errors import ScanError

Confounds = tuple[pd.DataFrame | None, np.ndarray | None]

# Nine signals (six of motion, white matter, CSF, global), each with derivative, square and squared
# derivative.
_36P = {"motion": "full", "wm_csf": "full", "global_signal": "full"}


def load_confounds(bold: Path, strategy: str, settings: Parcellation) -> Confounds:
    """Load the confounds of a run in fMRIPrep's layout.

    ``simple``, ``scrubbing``, ``compcor`` and ``ica_aroma`` are nilearn's strategies; ``36p`` is
    motion, white matter, CSF and global signal with derivatives and squares (Satterthwaite et al.
    2013, doi:10.1016/j.neuroimage.2012.08.052); ``none`` regresses nothing out. Cosine regressors
    are dropped: they span the frequencies that the band-pass removes.

    Parameters
    ----------
    bold : Path
        Preprocessed image; the confounds table lies beside it.
    strategy : str
    settings : Parcellation
        ``motion`` is the number of motion regressors.

    Returns
    -------
    confounds : DataFrame, shape (volumes, n), or None
    sample_mask : ndarray of int or None
        Indices of the volumes that are not censored.

    Raises
    ------
    ScanError
        When the table is missing or lacks what the strategy needs.
    """
    if strategy == "none":
        return None, None
    if not confounds_table(bold).exists():
        raise ScanError(f"no confounds table beside {bold.name}")
    try:
        with _isolated(bold) as image:
            confounds, sample_mask = _load(image, strategy, settings)
    except (ValueError, KeyError, pd.errors.ParserError, UnicodeDecodeError) as error:
        cause = " ".join(str(error).split())  # nilearn's messages span several lines
        raise ScanError(f"confounds '{strategy}' cannot be loaded ({cause})") from error
    confounds = confounds.loc[:, ~confounds.columns.str.startswith("cosine")]
    _require_known(confounds, sample_mask, confounds_table(bold).name)
    return confounds, sample_mask


def _require_known(confounds: pd.DataFrame, sample_mask: np.ndarray | None, table: str) -> None:
    """Refuse confounds that are not numbers in volumes that are not censored, by name."""
    used = confounds if sample_mask is None else confounds.iloc[sample_mask]
    missing = (~np.isfinite(used.to_numpy(float))).sum(axis=0)
    for counts, extent in (
        (missing == len(used), "throughout"),
        (missing > 0, f"in up to {missing.max()} of {len(used)} volumes"),
    ):
        if counts.any():
            names = ", ".join(confounds.columns[counts])
            raise ScanError(f"confounds that are needed are n/a {extent} in {table}: {names}")


@contextmanager
def _isolated(bold: Path) -> Iterator[Path]:
    """Yield a link to the image in a folder with nothing but its confounds.

    nilearn finds the table by a pattern, which is ambiguous if a task has runs both with and
    without the `run` entity.
    """
    table = confounds_table(bold)
    # Where nilearn looks for it, however the table itself writes the number of the run.
    expected = f"{bold.name.split('_space-')[0]}_desc-{table.name.split('_desc-')[1]}"
    with TemporaryDirectory() as folder:
        for path, name in (
            (bold, bold.name),
            (table, expected),
            (table.with_suffix(".json"), Path(expected).with_suffix(".json").name),
        ):
            if path.exists():
                # Resolved, since a relative link would point into the temporary folder.
                (Path(folder) / name).symlink_to(path.resolve())
        yield Path(folder) / bold.name


def _load(bold: Path, strategy: str, settings: Parcellation) -> tuple[pd.DataFrame, np.ndarray]:
    from nilearn.interfaces import fmriprep

    if strategy == "36p":
        confounds, sample_mask = fmriprep.load_confounds(str(bold), tuple(_36P), **_36P)
    else:
        # nilearn rejects `motion` for ICA-AROMA, whose images are cleaned of motion already.
        options = {} if strategy == "ica_aroma" else {"motion": settings.motion}
        confounds, sample_mask = fmriprep.load_confounds_strategy(str(bold), strategy, **options)
    return confounds, sample_mask


def confounds_table(bold: Path) -> Path:
    """Path of the confounds table of a run; before fMRIPrep 20.2, it ended in ``regressors``."""
    stem = scan_of(bold.name)
    table = beside(bold, f"{stem}_desc-confounds_timeseries.tsv")
    older = beside(bold, f"{stem}_desc-confounds_regressors.tsv")
    return older if older.exists() and not table.exists() else table


def mean_fd(bold: Path) -> float:
    """Mean framewise displacement (mm) from the confounds table; NaN if it is not there."""
    table = confounds_table(bold)
    if not table.exists():
        return float("nan")
    displacement = pd.read_csv(table, sep="\t").get("framewise_displacement")
    if displacement is None:
        return float("nan")
    # The first volume has no predecessor and is n/a, which becomes NaN and is left out of the mean.
    return float(pd.to_numeric(displacement, errors="coerce").mean())
