"""Splits that the user gives in a table, such as the official ones of a challenge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.errors import UserError
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED, VALIDATION, Split

CODES = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "": UNUSED, "n/a": UNUSED}


def read_fixed_splits(participant_ids: pd.Index, file: Path) -> list[Split]:
    """Read the splits of `Phenotype.splits_file`.

    Parameters
    ----------
    participant_ids : Index
        Participants of the phenotype. Those that are not in the file are unused.
    file : Path
        TSV, or CSV by its suffix: ``participant_id`` and one column per split, which holds
        ``train``, ``validation``, ``test`` or nothing.

    Raises
    ------
    UserError
        If the file is missing or malformed, or a split has no training or no test participant.
    """
    table = _read_table(file).reindex(participant_ids)
    return [_split_of(table[name].fillna(""), str(name), file) for name in table.columns]


def _read_table(file: Path) -> pd.DataFrame:
    """Read the table as text, indexed by participant."""
    if not file.exists():
        raise UserError(f"The file {file} does not exist. Correct `splits_file`.")
    separator = "," if file.suffix == ".csv" else "\t"
    try:
        # Text: ids such as 0012 keep their zeros, and n/a (missing, in BIDS) stays a code.
        table = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:  # empty, or not UTF-8
        raise UserError(f"{file} is not a readable table ({error}).") from None
    if "participant_id" not in table or len(table.columns) < 2:
        raise UserError(f"{file} needs a column participant_id and one column per split.")
    ids = table["participant_id"]
    if ids.duplicated().any():
        raise UserError(f"{file} lists participant {ids[ids.duplicated()].iloc[0]} twice.")
    return table.set_index("participant_id")


def _split_of(parts: pd.Series, name: str, file: Path) -> Split:
    """Convert one column of the table."""
    unknown = sorted(set(parts) - set(CODES))
    if unknown:
        raise UserError(
            f"{file}, split {name}: '{unknown[0]}' is not a part; use train, validation or test."
        )
    codes = parts.map(CODES).to_numpy(np.int8)
    for part in ("train", "test"):
        if not (codes == CODES[part]).any():
            raise UserError(
                f"{file}, split {name}: no participant of this phenotype is in the {part} part."
            )
    return Split(f"fixed {name}", "fixed", codes)
