"""What the user may have meant by a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(word: str, known: Iterable[str], listed: str = "", prefix: str = "") -> str:
    """Return ``did you mean 'x'?`` for the nearest known word, else the list of known words.

    Parameters
    ----------
    word : str
    known : iterable of str
    listed : str
        How the known words are listed, where they are too many to name each.
    prefix : str
        Put before the nearest word, as ``datasets.abide.``.
    """
    words = list(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{prefix}{close[0]}'?"
    return f"known: {listed or ', '.join(words)}"


def sentence(text: str) -> str:
    """End a text with a full stop, unless it is a question."""
    return text if text.endswith("?") else f"{text}."
