"""Which row the others are compared with."""

from __future__ import annotations

from collections.abc import Collection

from semantoks.config import BEST_CONNECTIVITY, CONNECTIVITY, PAPER_SUFFIX


def baseline_of(representation: str, scored: Collection[str]) -> str | None:
    """Name the row that a representation is compared with: connectivity of the same protocol.

    It is the connectivity that is chosen inside the training part where there are several, and
    otherwise the only one. The paper's head chooses none, so the first of `CONNECTIVITY` is taken.

    Parameters
    ----------
    representation : str
    scored : collection of str
        Names of all rows.

    Returns
    -------
    str or None
        None without connectivity.
    """
    suffix = PAPER_SUFFIX if representation.endswith(PAPER_SUFFIX) else ""
    names = (f"{name}{suffix}" for name in (BEST_CONNECTIVITY, *CONNECTIVITY))
    return next((name for name in names if name in scored), None)
