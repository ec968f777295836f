"""The mean connectome of a data set, by network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from semantoks.artifacts.timeseries import Scan
from semantoks.scores.represent.connectivity import fisher_z


def connectome_by_network(
    scans: Iterable[Scan], scans_of: Mapping[str, int], network_C: Sequence[str]
) -> pd.DataFrame:
    """Average the correlation between regions over people, then within and between networks.

    Parameters
    ----------
    scans : iterable of Scan
        One at a time in memory.
    scans_of : mapping of str to int
        Number of scans of each participant, which together count as one.
    network_C : sequence of str
        Network of each region.

    Returns
    -------
    DataFrame, shape (networks, networks)
        Mean Pearson correlation (of the mean Fisher z) of the pairs of different regions; missing
        within a network of one region.
    """
    mean_F = _mean_over_people(scans, scans_of)
    names = list(dict.fromkeys(network_C))
    code_C = np.array([names.index(name) for name in network_C])
    rows, columns = (code_C[index] for index in np.triu_indices(len(code_C), 1))
    means = np.full((len(names), len(names)), np.nan)
    for low in range(len(names)):
        for high in range(low, len(names)):
            between_F = ((rows == low) & (columns == high)) | ((rows == high) & (columns == low))
            between_F &= np.isfinite(mean_F)
            if between_F.any():
                means[low, high] = means[high, low] = np.tanh(mean_F[between_F].mean())
    return pd.DataFrame(means, index=pd.Index(names, name="network"), columns=names)


def _mean_over_people(scans: Iterable[Scan], scans_of: Mapping[str, int]) -> np.ndarray:
    """Mean Fisher z of each pair of regions, over the scans that have both."""
    total_F: np.ndarray | float = 0.0
    weight_F: np.ndarray | float = 0.0
    for scan in scans:
        z_F, weight = fisher_z(scan.timeseries_CT), 1 / scans_of[scan.participant_id]
        total_F = total_F + weight * np.nan_to_num(z_F.astype(float))
        weight_F = weight_F + weight * np.isfinite(z_F)
    known_F = np.asarray(weight_F) > 0
    return np.where(known_F, total_F / np.where(known_F, weight_F, 1), np.nan)
