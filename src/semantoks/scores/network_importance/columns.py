"""Which networks the columns of a representation belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from semantoks.artifacts.representations import FeatureBlock
from semantoks.config import Content
from semantoks.errors import UserError

WITHOUT_DIAGONAL = ("fc", "fc_gsr", "partial")
WITH_DIAGONAL = ("tangent", "tangent_gsr", "coupling", "coupling_gsr")
OF_REGIONS = ("mean_activity", "amplitude", "spectrum")
OF_NONE = -1


@dataclass(frozen=True)
class Part:
    """Columns that are left out together.

    Attributes
    ----------
    networks : tuple of str
        One network: all columns that it has a part in. Two: connections between them, which are
        those within a network if both are the same.
    columns_F : ndarray of bool
    """

    networks: tuple[str, ...]
    columns_F: np.ndarray


@dataclass(frozen=True)
class ColumnNetworks:
    """Networks of all columns.

    Attributes
    ----------
    names : sequence of str
        Names of networks.
    first_F, second_F : ndarray of int
        Positions of both networks of a connection in `names`; the same one twice for what belongs
        to one network, and `OF_NONE` for what belongs to none.
    is_connection_F : ndarray of bool
    """

    names: Sequence[str]
    first_F: np.ndarray
    second_F: np.ndarray
    is_connection_F: np.ndarray

    def parts(self) -> Iterator[Part]:
        """Yield each network, then each pair of networks, as far as they have columns.

        What would leave no column is not there: without it there is nothing to fit.
        """
        columns = len(self.first_F)
        for number, name in enumerate(self.names):
            inside_F = (self.first_F == number) | (self.second_F == number)
            if 0 < inside_F.sum() < columns:
                yield Part((name,), inside_F)
        for low, high in combinations_with_replacement(range(len(self.names)), 2):
            between_F = (self.first_F == low) & (self.second_F == high)
            between_F |= (self.first_F == high) & (self.second_F == low)
            between_F &= self.is_connection_F
            if 0 < between_F.sum() < columns:
                yield Part((self.names[low], self.names[high]), between_F)


def column_networks(
    content: Content,
    blocks: Sequence[FeatureBlock],
    features: int,
    network_C: Sequence[str],
    order: Sequence[str] = (),
) -> ColumnNetworks:
    """Find the networks of the columns of a representation, after its projection if it has one.

    Parameters
    ----------
    content : str
        Baseline or readout.
    blocks : sequence of FeatureBlock
        Of the readout ``full``.
    features : int
        Number of columns.
    network_C : sequence of str
        Network of each region.
    order : sequence of str, optional
        Order of the networks in a model, of which ``networks`` has a vector each (default: that of
        their first regions).

    Raises
    ------
    UserError
        If the columns are not as many as such a representation of these regions has, or there are
        fewer than two networks.
    """
    names = list(dict.fromkeys(network_C))
    if len(names) < 2:
        raise UserError(
            f"The importance of networks needs two or more, but the atlas has {len(names)} "
            f"({', '.join(names)}). Take `importance` out, or use an atlas with networks."
        )
    code_C = np.array([names.index(name) for name in network_C])
    code_N = np.array([names.index(name) for name in order or names])
    sizes = [(block.name, block.size) for block in blocks] or [(content, features)]
    columns = [_columns(name, size, code_C, code_N) for name, size in sizes]
    first_F, second_F, is_connection_F = (np.concatenate(c) for c in zip(*columns, strict=True))
    if len(first_F) != features or (first_F == OF_NONE).all():
        raise UserError(
            f"The {features} features of {content} do not belong to networks as those of "
            f"{len(code_C)} regions in {len(names)} networks do ({len(first_F)} expected). Make "
            "the representation from the same time series."
        )
    return ColumnNetworks(names, first_F, second_F, is_connection_F)


def _columns(
    name: str, size: int, code_C: np.ndarray, code_N: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both networks of each column of a block, and whether it is a connection."""
    if name in WITHOUT_DIAGONAL or name in WITH_DIAGONAL:
        rows, columns = np.triu_indices(len(code_C), 1 if name in WITHOUT_DIAGONAL else 0)
        return code_C[rows], code_C[columns], np.ones(len(rows), bool)
    if name == "networks":
        code_F = np.repeat(code_N, size // len(code_N))
    elif name in OF_REGIONS:
        code_F = np.repeat(code_C, size // len(code_C))
    else:
        code_F = np.full(size, OF_NONE)
    return code_F, code_F, np.zeros(len(code_F), bool)
