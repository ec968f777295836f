"""Tangent vectors of scans at a reference that is the same for all, whatever regions they lack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semantoks.connectivity.covariance import (
    covariance,
    raise_eigenvalues,
    regress_out_global_signal,
)
from semantoks.connectivity.tangent import log_map, whitening_at
from semantoks.connectivity.triangles import to_triangle

# Of the mean eigenvalue.
SMALLEST_EIGENVALUE = 0.01


@dataclass(frozen=True)
class Estimator:
    """How the covariance of a scan is estimated.

    Attributes
    ----------
    shrinkage : float
        Weight of the identity; the same for all scans, so that it does not tell their length.
    without_global_signal : bool
        Whether the mean signal of all regions is regressed out of each, and what is left is
        z-scored again.
    """

    shrinkage: float
    without_global_signal: bool = False

    def estimate(self, timeseries_CT: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the covariance of the regions with data, and which these are.

        Parameters
        ----------
        timeseries_CT : ndarray, shape (regions, volumes)

        Returns
        -------
        covariance_KK : ndarray, shape (regions with data, regions with data)
        known_C : ndarray of bool, shape (regions,)
        """
        known_C = regions_with_data(timeseries_CT)
        known_KT = timeseries_CT[known_C].astype(float)
        if self.without_global_signal and len(known_KT):
            residual_KT = regress_out_global_signal(known_KT)
            deviation_K1 = residual_KT.std(axis=1, keepdims=True)
            # Of a region that is the global signal only rounding errors are left.
            known_KT = np.where(deviation_K1 > 1e-6, residual_KT / deviation_K1.clip(1e-6), 0.0)
        return covariance(known_KT, self.shrinkage), known_C


def regions_with_data(timeseries_CT: np.ndarray) -> np.ndarray:
    """Return which regions are finite throughout and not constant."""
    finite_C = np.isfinite(timeseries_CT).all(axis=1)
    return np.asarray(finite_C & (np.where(finite_C[:, None], timeseries_CT, 0).std(axis=1) > 0))


class MeanCovariance:
    """Mean of covariances, for each pair of regions over the scans that have both."""

    def __init__(self, estimator: Estimator, regions: int) -> None:
        self.estimator = estimator
        self.scans = 0
        self._sum_CC = np.zeros((regions, regions))
        self._scans_CC = np.zeros((regions, regions), np.int64)

    def add(self, timeseries_CT: np.ndarray) -> None:
        """Add a scan, unless it has no two regions with data."""
        covariance_KK, known_C = self.estimator.estimate(timeseries_CT)
        if len(covariance_KK) < 2:
            return
        pairs = np.ix_(known_C, known_C)
        self._sum_CC[pairs] += covariance_KK
        self._scans_CC[pairs] += 1
        self.scans += 1

    def reference(self) -> Reference:
        """Return the mean as a reference.

        A pair that no scan has is uncorrelated, and a region that none has is of variance one.
        Means over different scans may not be a covariance: eigenvalues that are too small are
        raised to `SMALLEST_EIGENVALUE` times their mean. Where all scans have all regions, there
        are none.
        """
        mean_CC = np.where(
            self._scans_CC > 0, self._sum_CC / self._scans_CC.clip(1), np.eye(len(self._sum_CC))
        )
        return Reference(raise_eigenvalues(mean_CC, SMALLEST_EIGENVALUE), self.estimator)


@dataclass(frozen=True)
class Reference:
    """Covariance at which scans are mapped into the tangent space.

    Attributes
    ----------
    covariance_CC : ndarray, shape (regions, regions)
        Positive definite.
    estimator : Estimator
        Of the covariances of scans.
    """

    covariance_CC: np.ndarray
    estimator: Estimator

    @cached_property
    def _whitening(self) -> np.ndarray:
        return whitening_at(to_triangle(self.covariance_CC))

    def tangent_vector(self, timeseries_CT: np.ndarray) -> np.ndarray:
        """Map a scan into the tangent space; regions that it lacks are completed.

        Parameters
        ----------
        timeseries_CT : ndarray, shape (regions, volumes)
            z-scored; NaN for a region without data.

        Returns
        -------
        ndarray, shape (regions · (regions + 1) / 2,)
            See `semantoks.connectivity.tangent.log_map`. NaN if the scan has no two regions with
            data.
        """
        covariance_KK, known_C = self.estimator.estimate(timeseries_CT)
        if len(covariance_KK) < 2:
            return np.full(len(known_C) * (len(known_C) + 1) // 2, np.nan)
        whole_CC = complete(covariance_KK, known_C, self.covariance_CC)
        return np.asarray(log_map(to_triangle(whole_CC)[None], self._whitening)[0])


def complete(
    covariance_KK: np.ndarray, known_C: np.ndarray, reference_CC: np.ndarray
) -> np.ndarray:
    """Fill in what a covariance lacks with what is expected of it given the rest.

    Signals of the missing regions are predicted from the others as in the reference: the
    conditional expectation under a normal distribution, and what it leaves unexplained. (With the
    covariance of the reference itself the result is the reference.)

    Parameters
    ----------
    covariance_KK : ndarray, shape (known regions, known regions)
        Positive definite.
    known_C : ndarray of bool, shape (regions,)
    reference_CC : ndarray, shape (regions, regions)
        Positive definite.

    Returns
    -------
    ndarray, shape (regions, regions)
        Positive definite.
    """
    if known_C.all():
        return covariance_KK
    order = np.concatenate([np.flatnonzero(known_C), np.flatnonzero(~known_C)])
    count = len(covariance_KK)
    reference = reference_CC[np.ix_(order, order)]
    slopes_MK = np.linalg.solve(reference[:count, :count], reference[:count, count:]).T
    unexplained_MM = reference[count:, count:] - slopes_MK @ reference[:count, count:]
    predicted_MK = slopes_MK @ covariance_KK
    filled_MM = predicted_MK @ slopes_MK.T + unexplained_MM
    completed = np.empty_like(reference)
    completed[np.ix_(order, order)] = np.block(
        [[covariance_KK, predicted_MK.T], [predicted_MK, (filled_MM + filled_MM.T) / 2]]
    )
    return completed
