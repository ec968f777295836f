"""Take a representation that was made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from semantoks.artifacts.representations import write_representation
from semantoks.artifacts.tables import read_table
from semantoks.errors import UserError
from semantoks.scores.get_representation.files import FeatureFile, read_feature_file
from semantoks.scores.get_representation.matching import match_rows
from semantoks.scores.get_representation.settings import GetRepresentationSettings


def get_representation(
    settings: GetRepresentationSettings, *, files: Sequence[Path], scans: Path, out: Path
) -> list[Path]:
    """Write the features of a file as a representation of the included scans of a data set.

    Parameters
    ----------
    settings : GetRepresentationSettings
    files : sequence of Path
        File of features; of an array without ids, also that of the ids.
    scans : Path
        Table of scans, included and excluded.
    out : Path

    Returns
    -------
    list of Path
        `out`. Participants with a usable scan and without a row have NaN features there, so that
        all representations are scored on the same people; the log names them.

    Raises
    ------
    UserError
        If the file cannot be read, or does not say clearly whose its rows are.
    """
    path, *ids = files
    file = read_feature_file(path, ids[0] if ids else None)
    matched = match_rows(file.ids, read_table(scans), path)
    write_representation(
        out,
        matched,
        _rows(file, matched["row"].tolist()),
        file.names,
        fitted=file.fitted,
        blocks=file.blocks,
    )
    return [out]


def _rows(file: FeatureFile, rows: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield the features of rows, NaN for -1, and refuse infinite ones."""
    known = file.read([row for row in rows if row >= 0])
    for row in rows:
        values = next(known) if row >= 0 else np.full(file.size, np.nan, np.float32)
        if np.isinf(values).any():
            raise UserError(
                f"Row {row + 1} of {file.path} has an infinite number, or one that is too large. "
                "Write n/a or NaN for what is not known."
            )
        yield values
