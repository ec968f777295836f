"""Participants' ids as scans, tables and split files write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from semantoks.errors import UserError


def as_in_scans(ids: Sequence[str], known: Iterable[str], source: str) -> list[str]:
    """Write ids as the known ones are written: with or without ``sub-``.

    Parameters
    ----------
    ids : sequence of str
        As `source` has them.
    known : iterable of str
    source : str
        File, for the message.

    Accents may be stored in two forms (NFC and NFD); macOS changes that of file names.

    Raises
    ------
    UserError
        When two known ids differ only in that form. When an id that is not known differs from one
        that is not used only in zeros, case or punctuation, since it is then the same participant.
    """
    by_label = _by_label(known)
    matched = [by_label.get(_label(name), name) for name in ids]
    unused = sorted(set(by_label.values()) - set(matched))
    unknown = sorted(set(matched) - set(by_label.values()))
    by_spelling = {_spelling(name): name for name in unused}
    pairs = [(name, by_spelling[s]) for name in unknown if (s := _spelling(name)) in by_spelling]
    if pairs:
        raise UserError(
            f"{source} has {pairs[0][0]} where the scans have {pairs[0][1]}, and {len(pairs)} such "
            "ids in all: leading zeros are lost, or case or punctuation differ. Write them as in "
            "the file names (in a spreadsheet, format the column as text)."
        )
    return matched


def _label(name: str) -> str:
    return unicodedata.normalize("NFC", name).removeprefix("sub-")


def _by_label(known: Iterable[str]) -> dict[str, str]:
    """Return the known ids by their labels; those that look the same cannot be told apart."""
    by_label: dict[str, str] = {}
    for name in sorted(known):
        other = by_label.get(_label(name), name)
        if other.removeprefix("sub-") != name.removeprefix("sub-"):
            raise UserError(
                f"The scans have two participants called {name}, whose names differ only in how "
                "the computer stores accents (Unicode NFC and NFD). Rename the files of one."
            )
        by_label[_label(name)] = name
    return by_label


def _spelling(name: str) -> str:
    """Reduce an id to what spreadsheets and data portals leave of it."""
    text = unicodedata.normalize("NFC", name).casefold().removeprefix("sub-")
    text = re.sub(r"(?<=\d)\.0$", "", text)  # numbers with gaps become decimals
    text = re.sub(r"(?<!\d)0+(?=\d)", "", text)
    return re.sub(r"[\W_]", "", text)
