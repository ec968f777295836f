"""Test-retest reliability: how much a participant's second session resembles their first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semantoks.scores.card.contents import Retest

FEATURES_PER_CHUNK = 1000  # `icc` allocates four copies of its input

CONSTANT = 1e-6  # range relative to the largest value; float32 keeps 7 digits


def session_pairs(scans: pd.DataFrame) -> np.ndarray:
    """Pair one scan of each of the first two sessions of a participant, both of the same task.

    Parameters
    ----------
    scans : DataFrame
        Scan entities.

    Returns
    -------
    ndarray of int, shape (participants, 2)
        Labels of the index of `scans`. Participants without two such sessions are left out.
    """
    pairs = []
    in_order = scans.sort_values(["task", "session", "run"], key=_natural)
    for _, rows in in_order.groupby("participant_id"):
        first_runs = rows.drop_duplicates(["task", "session"])
        for _, of_task in first_runs.groupby("task"):
            if len(of_task) > 1:
                pairs.append(of_task.index[:2])
                break
    return np.array(pairs, int).reshape(-1, 2)


def _natural(labels: pd.Series) -> pd.Series:
    """Make labels that sort their numbers by value: session 2 comes before session 10."""
    padded: pd.Series = labels.astype(str).str.replace(
        r"\d+", lambda digits: digits[0].zfill(30), regex=True
    )
    return padded


def retest(first_PF: np.ndarray, second_PF: np.ndarray) -> Retest:
    """Measure the reliability over two sessions, with rows in the same order of participants."""
    starts = range(0, first_PF.shape[1], FEATURES_PER_CHUNK)
    chunks = [slice(start, start + FEATURES_PER_CHUNK) for start in starts]
    correlations = [icc(first_PF[:, chunk], second_PF[:, chunk]) for chunk in chunks]
    return Retest(
        people=len(first_PF),
        identification=identification(first_PF, second_PF),
        chance=1 / len(first_PF),
        icc=float(np.nanmedian(np.concatenate(correlations))),
    )


def identification(first_PF: np.ndarray, second_PF: np.ndarray) -> float:
    """Compute the share of participants who are identified from their other session.

    A participant is identified if, of all other sessions, the features correlate most with those of
    their own; the mean of both directions is returned. Features that are not finite in every row
    are left out. Source: Finn et al. 2015, doi:10.1038/nn.4135.

    Parameters
    ----------
    first_PF, second_PF : ndarray, shape (participants, features)
    """
    known = np.isfinite(first_PF).all(axis=0) & np.isfinite(second_PF).all(axis=0)
    unit_rows = []
    for rows in (first_PF[:, known], second_PF[:, known]):
        centred = rows - rows.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(centred, axis=1, keepdims=True)
        unit_rows.append(centred / np.maximum(norms, 1e-12))
    correlation_PP = unit_rows[0] @ unit_rows[1].T
    participants = np.arange(len(correlation_PP))
    hits = [(correlation_PP.argmax(axis=axis) == participants).mean() for axis in (0, 1)]
    return float(np.mean(hits))


def icc(first_PF: np.ndarray, second_PF: np.ndarray) -> np.ndarray:
    """Compute ICC(3,1) of each feature: consistency of single measurements over two sessions.

    Source: Shrout & Fleiss 1979, doi:10.1037/0033-2909.86.2.420.

    Parameters
    ----------
    first_PF, second_PF : ndarray, shape (participants, features)

    Returns
    -------
    ndarray, shape (features,)
        NaN where a feature does not vary.
    """
    participants = len(first_PF)
    total = np.stack([first_PF, second_PF]).astype(float)
    between = 2 * total.mean(axis=0).var(axis=0, ddof=1)
    residual = total - total.mean(axis=1, keepdims=True) - (total.mean(axis=0) - total.mean((0, 1)))
    within = (residual**2).sum(axis=(0, 1)) / (participants - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        coefficients = np.asarray((between - within) / (between + within))
    # Rounding errors of a constant feature would have a coefficient of their own.
    spread, size = np.ptp(total, axis=(0, 1)), np.abs(total).max(axis=(0, 1))
    return np.where(spread > CONSTANT * size, coefficients, np.nan)
