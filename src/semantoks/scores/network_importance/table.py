"""The table of losses that `network_importance` writes, read back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def read_losses(path: Path) -> pd.DataFrame:
    """Read a table of losses.

    Returns
    -------
    DataFrame
        ``network`` and ``other`` are text: a network may be called "None", or by a number.
    """
    return pd.read_csv(
        path,
        sep="\t",
        keep_default_na=False,
        na_values=["n/a"],
        dtype={"network": str, "other": str},
    )
