"""Tables of regions: one row per region, in the order of the time series."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

# "_LH_", "-lh", "_L" and the like, at the start, within or at the end of a name.
_HEMISPHERE = re.compile(r"(?:^|[_-])(?:([LR])H?|([lr])h)(?:$|[_-])")


def read_regions(table: Path) -> pd.DataFrame:
    """Read the table that `get_atlas` wrote.

    Returns
    -------
    DataFrame
        ``index`` (label in the image), ``name``, ``network`` and ``hemisphere`` (L, R or empty),
        in the order of the time series.
    """
    # A network may be called "None", which pandas would otherwise read as missing.
    return pd.read_csv(table, sep="\t", keep_default_na=False, dtype={"name": str, "network": str})


def hemisphere_from_name(name: str) -> str:
    """Return the hemisphere in the name of a region (``_LH_``, ``-lh``, ``_L``): L, R or empty."""
    match = _HEMISPHERE.search(name)
    return (match[1] or match[2]).upper() if match else ""
