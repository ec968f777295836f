"""Splits that the user gives in a table, such as the official ones of a challenge."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.errors import UserError
from semantoks.people.ids import as_in_scans
from semantoks.people.read import read_text_table
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED, VALIDATION, Split

log = logging.getLogger(__name__)
LISTED = 5  # ids in a message
CODES = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
ID = "participant_id"


def read_fixed_splits(participant_ids: pd.Index, file: Path) -> list[Split]:
    """Read the splits of `Phenotype.splits_file`.

    Parameters
    ----------
    participant_ids : Index
        Participants of the phenotype. Those that are not in the file are unused.
    file : Path
        TSV, or CSV by its suffix: ``participant_id`` (with or without ``sub-``) and one column per
        split, which holds ``train``, ``validation``, ``test`` or a missing value.

    Raises
    ------
    UserError
        If the file is missing or malformed, or a split has no training or no test participant.
    """
    table = _read_table(file, participant_ids)
    unknown = table.index.difference(participant_ids)
    if len(unknown):
        log.warning(
            "%d of %d ids in %s are not used, as they take no part here (no usable scan, no value, "
            "or not held out from pretraining): %s%s",
            len(unknown),
            len(table),
            file.name,
            ", ".join(unknown[:LISTED]),
            ", …" if len(unknown) > LISTED else "",
        )
    table = table.reindex(participant_ids)
    return [_split_of(table[name], str(name), file) for name in table.columns]


def count_unknown(participant_ids: pd.Index, file: Path) -> int:
    """Count the ids in the file of which the phenotype has no participant."""
    return len(_read_table(file, participant_ids).index.difference(participant_ids))


def count_seen(seen: Collection[str], everybody: Collection[str], file: Path) -> int:
    """Count the ids in the file of people whom a model may be pretrained on, and say so.

    Parameters
    ----------
    seen : collection of str
        People with a usable scan who are not held out, though others are.
    everybody : collection of str
        All people with a usable scan.
    file : Path
    """
    if not seen:
        return 0
    table = _read_table(file, pd.Index(sorted(everybody), dtype=object))
    count = int(table.index.isin(set(seen)).sum())
    if count:
        log.warning(
            "%d people in %s are not scored, since they are not held out from pretraining. Add "
            "them to `hold_out`, or remove them from the file.",
            count,
            file.name,
        )
    return count


def _read_table(file: Path, participant_ids: pd.Index) -> pd.DataFrame:
    """Read the table as text, indexed by participant."""
    if not file.exists():
        raise UserError(f"The file {file} does not exist. Correct `splits_file`.")
    columns = read_text_table(file).columns
    if ID not in columns or len(columns) < 2:
        raise UserError(f"{file} needs a column participant_id and one column per split.")
    table = pd.DataFrame(columns, dtype=object).dropna(subset=ID)
    table[ID] = as_in_scans(list(table[ID]), participant_ids, str(file))
    repeated = table.loc[table[ID].duplicated(), ID]
    if len(repeated):
        raise UserError(f"{file} lists participant {repeated.iloc[0]} twice.")
    return table.set_index(ID)


def _split_of(parts: pd.Series, name: str, file: Path) -> Split:
    """Convert one column of the table."""
    unknown = sorted(set(parts.dropna()) - set(CODES))
    if unknown:
        raise UserError(
            f"{file}, split {name}: '{unknown[0]}' is not a part; use train, validation or test."
        )
    codes = parts.map(CODES).fillna(UNUSED).to_numpy(np.int8)
    for part in ("train", "test"):
        if not (codes == CODES[part]).any():
            raise UserError(
                f"{file}, split {name}: no participant of this phenotype is in the {part} part."
            )
    return Split(f"fixed {name}", "fixed", codes)
