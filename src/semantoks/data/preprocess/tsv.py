"""Write tables as BIDS specifies: tab-separated, missing values as ``n/a``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from semantoks.artifacts.files import atomic


def write_tsv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as a BIDS TSV file."""
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="n/a")
