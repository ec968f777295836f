"""Confounds of a run, by the name of a denoising strategy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from semantoks.config import Parcellation
from semantoks.data.layout import beside, scan_of
from semantoks.errors import ScanError
from semantoks.gate import require_file

Confounds = tuple[pd.DataFrame | None, np.ndarray | None]

# Nine signals (six of motion, white matter, CSF, global), each with derivative, square and squared
# derivative.
_36P = {"motion": "full", "wm_csf": "full", "global_signal": "full"}


def load_confounds(
    bold: Path, strategy: str, settings: Parcellation, table: Path | None = None
) -> Confounds:
    """Load the confounds of a run in fMRIPrep's layout.

    ``simple``, ``scrubbing``, ``compcor`` and ``ica_aroma`` are nilearn's strategies; ``36p`` is
    motion, white matter, CSF and global signal with derivatives and squares (Satterthwaite et al.
    2013, doi:10.1016/j.neuroimage.2012.08.052); ``none`` regresses nothing out. Cosine regressors
    are dropped: they span the frequencies that the band-pass removes. Volumes that the table marks
    as ``non_steady_state_outlier*`` are censored by every strategy, if there is a table.

    Parameters
    ----------
    bold : Path
        Preprocessed image; the confounds table lies beside it.
    strategy : str
    settings : Parcellation
        ``motion`` is the number of motion regressors.
    table : Path, optional
        Table of confounds (default: the one beside the image).

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
    table = table or confounds_table(bold)
    if strategy == "none":
        return None, steady_volumes(table)
    if not table.exists():
        raise ScanError(f"no confounds table beside {bold.name}")
    try:
        # A column that is n/a throughout is named below; warnings about its mean say no more.
        with _isolated(bold, table) as image, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.filterwarnings("ignore", "Numerical issues were encountered")
            confounds, sample_mask = _load(image, strategy, settings)
    except (ValueError, KeyError, pd.errors.ParserError, UnicodeDecodeError) as error:
        cause = " ".join(str(error).split())  # nilearn's messages span several lines
        raise ScanError(f"confounds '{strategy}' cannot be loaded ({cause})") from error
    confounds = confounds.loc[:, ~confounds.columns.str.startswith("cosine")]
    if strategy == "scrubbing":
        _require_known(_thresholded(table), None, table.name, may_lack_some=True)
    if sample_mask is not None and not len(sample_mask):
        raise ScanError(f"'{strategy}' censors all volumes")
    _require_known(confounds, sample_mask, table.name)
    return confounds, sample_mask


def steady_volumes(table: Path) -> np.ndarray | None:
    """Return the volumes in steady state, as nilearn does for all other strategies; None for all.

    The first volumes of a run, before the magnetisation is steady, are much brighter.

    Parameters
    ----------
    table : Path
        Table of confounds; without it, nothing is known.

    Raises
    ------
    ScanError
        When no volume is in steady state.
    """
    if not table.exists():
        return None
    confounds = pd.read_csv(require_file(table), sep="\t")
    marks = confounds.loc[:, confounds.columns.str.startswith("non_steady_state")]
    is_steady_T = ~(marks == 1).any(axis=1).to_numpy()
    if not is_steady_T.any():
        raise ScanError(f"no volume is in steady state according to {table.name}")
    return None if is_steady_T.all() else np.flatnonzero(is_steady_T)


def _thresholded(table: Path) -> pd.DataFrame:
    """Return what scrubbing censors by; nilearn censors nothing where it is n/a."""
    confounds = pd.read_csv(require_file(table), sep="\t")
    return confounds[["framewise_displacement", "std_dvars"]].apply(pd.to_numeric, errors="coerce")


def _require_known(
    confounds: pd.DataFrame,
    sample_mask: np.ndarray | None,
    table: str,
    *,
    may_lack_some: bool = False,
) -> None:
    """Refuse confounds that are n/a or constant in volumes that are not censored, by name.

    Software that does not know a confound fills its column with zeros. Derivatives and squares may
    be zero throughout because a table is rounded.
    """
    used = confounds if sample_mask is None else confounds.iloc[sample_mask]
    values = used.to_numpy(float)
    missing = (~np.isfinite(values)).sum(axis=0)
    is_derived = used.columns.str.contains("_derivative1|_power2")
    is_incomplete = (missing > 0) & (not may_lack_some)
    for concerned, problem in (
        (missing == len(used), "n/a throughout"),
        (is_incomplete, f"n/a in up to {missing.max()} of {len(used)} volumes"),
        (_are_constant(values) & ~is_derived, "the same in all volumes"),
    ):
        if concerned.any():
            names = ", ".join(confounds.columns[concerned])
            raise ScanError(f"confounds that are needed are {problem} in {table}: {names}")


def _are_constant(values_TN: np.ndarray) -> np.ndarray:
    """Return which columns have one value only, in at least two volumes."""
    # Exact: nilearn subtracts the same mean from equal values.
    lowest = np.where(np.isfinite(values_TN), values_TN, np.inf).min(axis=0, initial=np.inf)
    highest = np.where(np.isfinite(values_TN), values_TN, -np.inf).max(axis=0, initial=-np.inf)
    return np.asarray((lowest == highest) & (np.isfinite(values_TN).sum(axis=0) > 1))


@contextmanager
def _isolated(bold: Path, table: Path) -> Iterator[Path]:
    """Yield a link to the image in a folder with nothing but its confounds.

    nilearn finds the table by a pattern, which is ambiguous if a task has runs both with and
    without the `run` entity.
    """
    # Where nilearn looks for it, however the table itself writes the number of the run.
    _, _, ending = table.name.rpartition("_desc-confounds_")
    ending = ending if ending == "regressors.tsv" else "timeseries.tsv"
    expected = f"{bold.name.split('_space-')[0]}_desc-confounds_{ending}"
    with TemporaryDirectory() as folder:
        for path, name in (
            (bold, bold.name),
            (table, expected),
            (table.with_suffix(".json"), Path(expected).with_suffix(".json").name),
        ):
            if path.exists():
                require_file(path)
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


def mean_fd(bold: Path, table: Path | None = None) -> float:
    """Return the mean framewise displacement (mm); NaN if the table does not state it.

    Parameters
    ----------
    bold : Path
    table : Path, optional
        Table of confounds (default: the one beside the image).

    Raises
    ------
    ScanError
        When it is the same in all volumes: no head is that still, and the scan would pass as one
        without motion.
    """
    table = table or confounds_table(bold)
    if not table.exists():
        return float("nan")
    displacement = pd.read_csv(require_file(table), sep="\t").get("framewise_displacement")
    if displacement is None:
        return float("nan")
    # The first volume has no predecessor and is n/a, which becomes NaN and is left out of the mean.
    known = pd.to_numeric(displacement, errors="coerce").dropna()
    if len(known) > 1 and known.nunique() == 1:
        raise ScanError(
            f"framewise_displacement is {known.iloc[0]:g} in all volumes in {table.name}; if it is "
            "not known, write n/a"
        )
    return float(known.mean())
