"""Confounds of a run by the name of a strategy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from semantoks.config import Parcellation
from semantoks.errors import ScanError

Confounds = tuple[pd.DataFrame | None, np.ndarray | None]

_FULL = {"motion": "full", "wm_csf": "full", "global_signal": "full"}


def load_confounds(bold: Path, strategy: str, settings: Parcellation) -> Confounds:
    """Load the confounds of a run in fMRIPrep's layout.

    ``simple``, ``scrubbing``, ``compcor`` and ``ica_aroma`` are nilearn's strategies; ``36p`` is
    motion, white matter, CSF and global signal with derivatives and squares (Satterthwaite et al.
    2013, doi:10.1016/j.neuroimage.2012.08.052); ``none`` regresses nothing out. Cosine regressors
    are left out: the band-pass does their work.

    Returns
    -------
    confounds : DataFrame, shape (volumes, n), or None
    kept : ndarray of int or None
        Volumes that are not censored.

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
        with _alone(bold) as path:
            loaded = _load(path, strategy, settings)
    except (ValueError, KeyError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ScanError(f"confounds '{strategy}' cannot be loaded ({_sentence(error)})") from error
    confounds, kept = loaded
    return confounds.loc[:, ~confounds.columns.str.startswith("cosine")], kept


@contextmanager
def _alone(bold: Path) -> Iterator[Path]:
    """Yield a name for the image with nothing but its confounds beside it.

    nilearn looks for them by pattern, and finds two where a task has runs with and without number.
    """
    table = confounds_table(bold)
    with TemporaryDirectory() as folder:
        for path in (bold, table, table.with_suffix(".json")):
            if path.exists():
                (Path(folder) / path.name).symlink_to(path.resolve())
        yield Path(folder) / bold.name


def _load(bold: Path, strategy: str, settings: Parcellation) -> tuple[pd.DataFrame, np.ndarray]:
    from nilearn.interfaces import fmriprep

    if strategy == "36p":
        found = fmriprep.load_confounds(str(bold), ("motion", "wm_csf", "global_signal"), **_FULL)
    else:
        options = {} if strategy == "ica_aroma" else {"motion": settings.motion}
        found = fmriprep.load_confounds_strategy(str(bold), strategy, **options)
    confounds, kept = found
    return confounds, kept


def confounds_table(bold: Path) -> Path:
    """Return where fMRIPrep puts the confounds of a run (versions before 20.2: ``regressors``)."""
    stem = bold.name.split("_space-")[0].split("_desc-")[0]
    table = bold.with_name(f"{stem}_desc-confounds_timeseries.tsv")
    older = bold.with_name(f"{stem}_desc-confounds_regressors.tsv")
    return older if older.exists() and not table.exists() else table


def mean_fd(bold: Path) -> float:
    """Mean framewise displacement (mm) from the confounds table; NaN where it is not there."""
    table = confounds_table(bold)
    if not table.exists():
        return float("nan")
    displacement = pd.read_csv(table, sep="\t").get("framewise_displacement")
    if displacement is None:
        return float("nan")
    return float(pd.to_numeric(displacement, errors="coerce").mean())


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())
