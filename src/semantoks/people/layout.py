"""How the tables of participants of a data set are laid out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

ID = "participant_id"


@dataclass(frozen=True)
class Layout:
    """How rows and ids of tables are read.

    Attributes
    ----------
    id_columns : tuple of str
        Names of the column of ids; the first that a table has.
    id_pattern : str
        Regular expression of a whole cell, with one group for the id; empty: the cell is the id.
    id_digits : int
        Ids that are numbers get zeros in front until they have so many digits.
    skip_rows : int or dict of str to int
        Rows directly below the header that are no participants; by pattern of the file's name.
    visit_columns : tuple of str
        Names of the column of visits; the first that a table has.
    keep : str
        Which visit counts: `first`, `last`, or its value.
    missing : tuple of str
        Codes for missing values.
    encoding : str
        Of the text.
    """

    id_columns: tuple[str, ...] = (ID,)
    id_pattern: str = ""
    id_digits: int = 0
    skip_rows: int | dict[str, int] = 0
    visit_columns: tuple[str, ...] = ()
    keep: str = ""
    missing: tuple[str, ...] = field(default=())
    encoding: str = "utf-8"

    def rows_to_skip(self, path: Path) -> int:
        """Return how many rows below the header of a file are no participants."""
        if isinstance(self.skip_rows, int):
            return self.skip_rows
        matching = [n for name, n in self.skip_rows.items() if fnmatchcase(path.name, name)]
        return matching[0] if matching else 0

    def id_of(self, cell: str) -> str | None:
        """Return the id within a cell; None if the cell does not fit the pattern."""
        if self.id_pattern:
            match = re.fullmatch(self.id_pattern, cell)
            if not match or not match[1]:
                return None
            cell = match[1].strip()
        digits = re.sub(r"(?<=\d)\.0$", "", cell)  # numbers with gaps become decimals
        return digits.zfill(self.id_digits) if self.id_digits and _is_number(digits) else cell


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
