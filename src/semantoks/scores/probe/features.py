"""Features of the participants of a problem, of one representation or several, block by block.

Everything that is fitted to participants (the reference of tangent connectivity, a subspace, the
effects of sites and of confounds) is fitted to the training participants of each split alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semantoks.artifacts.representations import FeatureBlock, has_features
from semantoks.scores.linear_models.axes import (
    CONSTANT,
    LARGE,
    Kernel,
    PrincipalCoordinates,
    block_kernel,
    gaussian_kernel,
    kernel_by_columns,
    rotate_blocks,
    standardise,
    sum_kernels,
)
from semantoks.scores.probe.combat import combat
from semantoks.scores.represent.projections import GAUSSIAN, PROJECTIONS


@dataclass(frozen=True)
class Features:
    """One representation of the participants of a problem, in the order of its rows.

    Attributes
    ----------
    values_PF : ndarray, shape (participants, features)
        NaN where a value is missing.
    projection : str
        Key of the entry of `PROJECTIONS` that is fitted to the training participants first, or "".
    confounds_PC : ndarray, shape (participants, confounds), or None
        Regressed out of the features.
    blocks : tuple of FeatureBlock
        See `ParticipantFeatures`.
    is_gaussian : bool
        Whether the probe takes a Gaussian kernel of features that are projected already.
    sites_P : ndarray of object, shape (participants,), or None
        Names of sites that features are harmonised between; see `combat`.
    """

    values_PF: np.ndarray
    projection: str = ""
    confounds_PC: np.ndarray | None = None
    blocks: tuple[FeatureBlock, ...] = ()
    is_gaussian: bool = False
    sites_P: np.ndarray | None = None

    def projected(self, train: np.ndarray, held: np.ndarray) -> Features:
        """Return the features of one split, without a projection that is still to be fitted.

        Learning curves vary the number of labelled participants, so all of their points share the
        projection, which knows no label, of the whole training part.

        Parameters
        ----------
        train, held : ndarray
            Row numbers of the whole training part, which is fitted to, and of the test part.
            Everybody else becomes NaN.
        """
        if not self.projection:
            return self
        train_PF, held_HF = _project(self.projection, self.values_PF[train], self.values_PF[held])
        values_PF = np.full((len(self.values_PF), train_PF.shape[1]), np.nan)
        values_PF[train], values_PF[held] = train_PF, held_HF
        return replace(
            self, values_PF=values_PF, projection="", is_gaussian=self.projection in GAUSSIAN
        )

    def prepare(self, train: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project the features and regress confounds out of them, block by block.

        Parameters
        ----------
        train, held : ndarray
            Row numbers of the training participants, who are fitted to, and of the held-out ones.

        Returns
        -------
        train_PF, held_HF : ndarray
        """
        blocks = self.prepare_blocks(train, held)
        if len(blocks) == 1:
            return blocks[0]
        train_PF, held_HF = (np.hstack(part) for part in zip(*blocks, strict=True))
        return train_PF, held_HF

    def prepare_blocks(
        self, train: np.ndarray, held: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Prepare the features, harmonised between sites if asked to, and return each block."""
        rows = self.values_PF[train], self.values_PF[held]
        if self.projection:
            rows = _project(self.projection, *rows)
        ends = np.cumsum([block.size for block in self.blocks])[:-1]
        blocks = list(zip(*(np.split(part, ends, axis=1) for part in rows), strict=True))
        if self.sites_P is not None:
            train_site, held_site = self.sites_P[train], self.sites_P[held]
            # Apart, because the features of a block are what a site shifts alike.
            blocks = [
                combat(train_PF, held_HF, train_site, held_site) for train_PF, held_HF in blocks
            ]
        if self.confounds_PC is None:
            return blocks
        train_PC, held_PC = self.confounds_PC[train], self.confounds_PC[held]
        # Apart, so that who lacks a block has no part in the fit of that block.
        return [_residuals(train_PF, held_HF, train_PC, held_PC) for train_PF, held_HF in blocks]

    def weighty_blocks(
        self, train: np.ndarray, held: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Prepare the features, and return each block whose weight is not zero."""
        prepared = zip(self.prepare_blocks(train, held), self.weights, strict=True)
        return [block for block, weight in prepared if weight]

    def large_kernels(self, train: np.ndarray, held: np.ndarray) -> Iterator[Kernel]:
        """Yield the kernel of each block in single precision.

        Features that nothing is fitted to are prepared some columns at a time. Those of which
        something is fitted are in memory as a whole.
        """
        is_gaussian = self.is_gaussian or self.projection in GAUSSIAN
        is_fitted = self.projection or self.sites_P is not None or self.confounds_PC is not None
        if is_gaussian or is_fitted:
            kernel_of = gaussian_kernel if is_gaussian else block_kernel
            for block in self.weighty_blocks(train, held):
                of_train, of_held = kernel_of(*block)
                yield of_train.astype(np.float32), of_held.astype(np.float32)
            return
        ends = np.cumsum([block.size for block in self.blocks])[:-1]
        every = np.split(np.arange(self.values_PF.shape[1]), ends)
        for columns, weight in zip(every, self.weights, strict=True):
            if weight:
                block_PF = self.values_PF[:, columns[0] : columns[-1] + 1]
                yield kernel_by_columns(block_PF, train, held)

    def coordinates(self, train: np.ndarray, held: np.ndarray) -> PrincipalCoordinates:
        """Rotate the prepared features onto the principal axes of the training participants."""
        return summed([self], train, held)

    @property
    def weights(self) -> list[float]:
        """Weight of the kernel of each block."""
        return [block.weight for block in self.blocks] or [1.0]


def summed(parts: Sequence[Features], train: np.ndarray, held: np.ndarray) -> PrincipalCoordinates:
    """Sum the kernels of all blocks of some representations."""
    weights = [weight for part in parts for weight in part.weights if weight]
    features = sum(part.values_PF.shape[1] for part in parts)
    if len(train) >= LARGE and features > len(train):
        return sum_kernels(
            (kernel for part in parts for kernel in part.large_kernels(train, held)), weights
        )
    gaussian = [part.is_gaussian or part.projection in GAUSSIAN for part in parts]
    prepared = (part.weighty_blocks(train, held) for part in parts)
    if any(gaussian):
        kernel_of = [gaussian_kernel if is_gaussian else block_kernel for is_gaussian in gaussian]
        pairs = zip(kernel_of, prepared, strict=True)
        return sum_kernels((kernel(*b) for kernel, blocks in pairs for b in blocks), weights)
    return rotate_blocks([block for blocks in prepared for block in blocks], weights)


def _project(
    projection: str, train_PF: np.ndarray, held_HF: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a projection to the training rows with features; rows without any become NaN."""
    known_P, known_H = has_features(train_PF), has_features(held_HF)
    if known_P.all() and known_H.all():
        return PROJECTIONS[projection](train_PF, held_HF)
    projected = PROJECTIONS[projection](train_PF[known_P], held_HF[known_H])
    train, held = (np.full((len(k), projected[0].shape[1]), np.nan) for k in (known_P, known_H))
    train[known_P], held[known_H] = projected
    return train, held


def _residuals(
    train_PF: np.ndarray, held_HF: np.ndarray, train_PC: np.ndarray, held_HC: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Regress confounds out of features by least squares in the training part.

    Rows without any feature have no part in the fit, and single missing features count in it as the
    training mean. What is missing stays missing.
    """
    # lstsq fits all features at once and cannot skip single values, so they are filled first.
    known = np.isfinite(train_PF)
    mean = np.where(known, train_PF, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    train = np.where(known, train_PF - mean, 0)
    held = np.where(np.isfinite(held_HF), held_HF - mean, 0)
    train_z, held_z = standardise(train_PC, held_HC)
    # Dummy variables of sites are collinear; the cut-off gives the solution of least norm.
    known_P = has_features(train_PF)
    # Indexing copies, and the features of large cohorts take gigabytes.
    fitted = slice(None) if known_P.all() else known_P
    slopes = np.linalg.lstsq(train_z[fitted], train[fitted], rcond=1e-9)[0]
    residuals = train - train_z @ slopes, held - held_z @ slopes
    # What confounds explain entirely leaves rounding errors, which scaling would make a feature.
    explained = residuals[0][fitted].std(axis=0) <= CONSTANT * train[fitted].std(axis=0)
    for rows in residuals:
        rows[:, explained] = 0
    # What is left of a missing value would be the effect of the confounds alone.
    residuals[0][~known], residuals[1][~np.isfinite(held_HF)] = np.nan, np.nan
    return residuals
