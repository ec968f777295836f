"""Write the representations that need no model: connectivity, confounds, chance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semantoks.errors import UserError
from semantoks.representations import confounds, connectivity, write_representation
from semantoks.store import read_scan_table, read_scans, read_table


def represent(name: str, timeseries: Sequence[Path], participants: Path, out: Path) -> None:
    """Write the representation `name` (``fc``, ``confounds`` or ``chance``) of a data set."""
    scans = read_scan_table(timeseries)
    scans = scans[scans["status"] == "ok"].reset_index(drop=True)
    if scans.empty:
        raise UserError("No scan is left after the exclusions, so there is nothing to represent.")
    features, names = np.empty((len(scans), 0)), list[str]()
    if name == "fc":
        features = connectivity(read_scans(timeseries))
    elif name == "confounds":
        features, names = confounds(scans, read_table(participants))
    write_representation(out, scans, features, names)
