"""What the user may have meant by a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

AS_NEAR = 0.02  # `atlass` is as near to `atlas` as to `atlases`


def suggest(word: str, known: Iterable[str], listed: str = "", prefix: str = "") -> str:
    """Return ``did you mean 'x'?`` for the one or two nearest known words, else all of them.

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
    if meant := near(word, words, prefix):
        return f"did you mean {' or '.join(meant)}?"
    return f"known: {listed or ', '.join(words)}"


def near(word: str, known: Iterable[str], prefix: str = "") -> list[str]:
    """Return the one or two known words that are nearest, in quotation marks."""

    def likeness(other: str) -> float:
        return difflib.SequenceMatcher(None, other, word).ratio()

    close = difflib.get_close_matches(word, list(known), n=2, cutoff=0.5)
    best = max(map(likeness, close), default=0.0)
    return [f"'{prefix}{other}'" for other in close if likeness(other) > best - AS_NEAR]


def sentence(text: str) -> str:
    """End a text with a full stop, unless it is a question."""
    return text if text.endswith("?") else f"{text}."
