"""How active each region is in a block of a task, compared with the rest of its run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from semantoks.artifacts.timeseries import Scan


def mean_activity(blocks: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the mean of each region over a block, in standard deviations of the whole run.

    Of a run as a whole it is zero, since the run is z-scored.

    Parameters
    ----------
    blocks : iterable of Scan
        Blocks that were cut out of z-scored runs; a region without data is NaN.

    Yields
    ------
    ndarray of float32, shape (regions,)
    """
    return (block.timeseries_CT.mean(axis=1, dtype=float).astype(np.float32) for block in blocks)
