"""Features of a split from which columns are left out.

Where features outnumber participants, the kernel of what is left is the whole kernel less that of
the columns, so a fit without them costs little more than the decomposition.

Legend: P training participants, H test participants, F features, R principal axes, K logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from semantoks.scores.linear_models.axes import (
    Kernel,
    PrincipalCoordinates,
    rotate_blocks,
    standardise,
    sum_kernels,
)

Rows = tuple[np.ndarray, np.ndarray]  # of the training and of the test participants


class ReducibleFeatures:
    """Features of the training and test participants, block by block.

    Parameters
    ----------
    blocks : sequence of (ndarray, ndarray)
        Prepared by `Features.prepare_blocks`.
    weights : sequence of float
        Of the kernels of the blocks.
    """

    def __init__(self, blocks: Sequence[Rows], weights: Sequence[float]) -> None:
        self._blocks, self._weights = list(blocks), list(weights)
        self._z = [standardise(*block) for block in blocks]
        self._ends = np.cumsum([train.shape[1] for train, _ in blocks])
        self._is_wide = self._ends[-1] > len(blocks[0][0])
        self._kernels = [_kernel(*z) for z in self._z] if self._is_wide else []
        self.coordinates = self._rotated()

    def _rotated(self) -> PrincipalCoordinates:
        if self._is_wide:
            return sum_kernels(self._kernels, self._weights)
        return rotate_blocks(self._blocks, self._weights)

    def without(self, columns_F: np.ndarray) -> PrincipalCoordinates:
        """Rotate what is left, as if there had never been these columns.

        Parameters
        ----------
        columns_F : ndarray of bool
            Columns to leave out, of all blocks side by side; not all of them.
        """
        masks = np.split(columns_F, self._ends[:-1])
        # A block that is left out as a whole must not stay as rounding errors.
        left = [number for number, mask in enumerate(masks) if not mask.all()]
        weights = [self._weights[number] for number in left]
        if self._is_wide:
            return sum_kernels((self._kernel_without(n, masks[n]) for n in left), weights)
        remaining = [(self._blocks[number], ~masks[number]) for number in left]
        blocks = [(train[:, mask], held[:, mask]) for (train, held), mask in remaining]
        return rotate_blocks(blocks, weights)

    def _kernel_without(self, number: int, mask_F: np.ndarray) -> Kernel:
        """Kernel of the columns of a block that are left, computed from the fewer ones."""
        train_PF, held_HF = self._z[number]
        left = int((~mask_F).sum())
        if 2 * left <= len(mask_F):
            kernel_PP, kernel_HP = _kernel(train_PF[:, ~mask_F], held_HF[:, ~mask_F])
        else:
            whole, part = self._kernels[number], _kernel(train_PF[:, mask_F], held_HF[:, mask_F])
            kernel_PP, kernel_HP = whole[0] - part[0], whole[1] - part[1]
        # Columns are divided by the root of their number, which is another one now.
        scale = len(mask_F) / left
        return scale * kernel_PP, scale * kernel_HP

    def contributions(self, weights_RK: np.ndarray) -> Contributions:
        """Prepare the contributions of columns to the logits of a linear fit.

        Parameters
        ----------
        weights_RK : ndarray
            Weights of the fit on the principal axes, without its intercept.
        """
        squares = self._kernels or [(train.T @ train, train) for train, _ in self._z]
        norms = [float(np.linalg.norm(square)) for square, _ in squares]
        scales = np.array(
            [w / norm if norm else 0.0 for w, norm in zip(self._weights, norms, strict=True)]
        )
        axes = self.coordinates
        dual_PK = (axes.train_PR / axes.singular_values_R**2) @ weights_RK
        parts = zip(scales / (scales.sum() or 1.0), self._z, strict=True)
        weights_FK = [scale * (train_PF.T @ dual_PK) for scale, (train_PF, _) in parts]
        return Contributions(np.hstack([held for _, held in self._z]), np.vstack(weights_FK))


class Contributions:
    """Contributions of columns to the logits, or numbers, of the test participants."""

    def __init__(self, held_HF: np.ndarray, weights_FK: np.ndarray) -> None:
        self._held_HF, self._weights_FK = held_HF, weights_FK

    def of(self, columns_F: np.ndarray) -> np.ndarray:
        """Sum those of some columns, shape (test participants, logits)."""
        return np.asarray(self._held_HF[:, columns_F] @ self._weights_FK[columns_F])


def unit_rows(coordinates: PrincipalCoordinates) -> PrincipalCoordinates:
    """Add rows to the test participants, from whose predictions a fit's weights can be read.

    They are a one on each axis, and last a row of zeros, whose prediction is the intercept.
    """
    axes = coordinates.train_PR.shape[1]
    rows = (coordinates.held_HR, np.eye(axes), np.zeros((1, axes)))
    return PrincipalCoordinates(
        coordinates.train_PR, np.vstack(rows), coordinates.singular_values_R
    )


def shuffled_orders(participants: int, shuffles: int) -> Iterator[np.ndarray]:
    """Yield orders of the test participants, the same for all networks and representations."""
    rng = np.random.default_rng(0)
    return (rng.permutation(participants) for _ in range(shuffles))


def _kernel(train_PF: np.ndarray, held_HF: np.ndarray) -> Kernel:
    return train_PF @ train_PF.T, held_HF @ train_PF.T
