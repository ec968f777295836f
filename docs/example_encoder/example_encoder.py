"""An encoder of your own: the correlation of the mean signals of every two networks."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np


def between(manifest: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return an encoder for time series of the regions that `manifest` lists.

    A trained model would be loaded here, once; `manifest.labels`, `.networks` and `.tr` (seconds)
    say what it will be given.
    """
    networks = np.array(manifest.networks)
    names = sorted(set(manifest.networks))

    def encode(timeseries: np.ndarray) -> np.ndarray:
        """Return the vector of one scan.

        `timeseries` is float32, shape (regions, volumes), z-scored; NaN for a region without data.
        """
        known = np.isfinite(timeseries).all(axis=1)
        means = [timeseries[known & (networks == name)].mean(axis=0) for name in names]
        return np.array([np.corrcoef(a, b)[0, 1] for a, b in combinations(means, 2)])

    return encode
