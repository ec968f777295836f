"""Participants' ids as scans, tables and split files write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from semantoks.errors import UserError

SOME_IDS = 1000  # of which it is looked up whether they carry a suffix
# Why a scan is excluded whose participant is not in the table of participants.
NO_ROW = "no row in the table of participants"
# Why one is excluded that `exclude` of its data set names; behind it is what the user wrote.
BY_HAND = "excluded by hand"


def as_in_scans(
    ids: Sequence[str], known: Iterable[str], source: str, *, is_table: bool = False
) -> list[str]:
    """Write ids as the known ones are written: with or without ``sub-``.

    Parameters
    ----------
    ids : sequence of str
        As `source` has them.
    known : iterable of str
    source : str
        File, for the message.
    is_table : bool
        Whether it is the table of participants, whose ids keys of the data set may change.

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
    by_spelling = {id_spelling(name): name for name in unused}
    pairs = [(name, by_spelling[s]) for name in unknown if (s := id_spelling(name)) in by_spelling]
    if pairs:
        raise UserError(
            f"{source} has {pairs[0][0]} where the scans have {pairs[0][1]}, and {len(pairs)} such "
            "ids in all: leading zeros are lost, or case or punctuation differ. Write them as in "
            "the file names (in a spreadsheet, format the column as text)"
            f"{digits_hint(by_label) if is_table else ''}."
        )
    return matched


def digits_hint(labels: Iterable[str]) -> str:
    """Name the key that writes zeros, if all ids that are numbers have as many digits."""
    lengths = {len(label) for label in labels if label.isascii() and label.isdecimal()}
    return f", or set `participant_digits: {lengths.pop()}`" if len(lengths) == 1 else ""


def hint_on_longer_ids(scanned: Iterable[str], ids: Iterable[str]) -> str:
    """Say which key takes the id out of more text, if those of scans or of the table have more.

    Parameters
    ----------
    scanned : iterable of str
        Ids of scans.
    ids : iterable of str
        Of the table, none of which is an id of a scan.

    Returns
    -------
    str
        A sentence with a blank before it, or nothing.
    """
    scanned, ids = sorted(scanned), sorted(ids)
    if pair := _within(scanned, ids):
        return (
            f" The ids of the scans carry more than those of the table, such as {pair[0]} for "
            f"{pair[1]}: set `template` of the data set, with {{participant}} where the id is."
        )
    if pair := _within(ids, scanned):
        return (
            f" The ids of the table carry more than those of the scans, such as {pair[0]} for "
            f"{pair[1]}: set `participant_pattern` of the data set, whose group is the id."
        )
    return ""


def _within(longer: Sequence[str], ids: Iterable[str]) -> tuple[str, str] | None:
    """Return a text with an id between marks such as _ and -, and the id."""
    known = {_label(name).lstrip("0") or "0": name for name in ids}
    for text in longer[:SOME_IDS]:
        parts = [match.span() for match in re.finditer(r"[^\W_]+", _label(text))]
        for first in range(len(parts)):
            for last in range(first, min(len(parts), first + 4)):
                inside = _label(text)[parts[first][0] : parts[last][1]]
                if inside != _label(text) and (inside.lstrip("0") or "0") in known:
                    return text, known[inside.lstrip("0") or "0"]
    return None


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


def id_spelling(name: str) -> str:
    """Reduce an id to what spreadsheets and data portals leave of it."""
    text = unicodedata.normalize("NFC", name).casefold().removeprefix("sub-")
    text = re.sub(r"(?<=\d)\.0$", "", text)  # numbers with gaps become decimals
    text = re.sub(r"(?<!\d)0+(?=\d)", "", text)
    return re.sub(r"[\W_]", "", text)
