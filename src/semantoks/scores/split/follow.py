"""Splits of a variant: those of the main analysis, without the participants it does not have.

So the scores of both can be compared split by split, although, for instance, a stricter threshold
of head motion excludes some participants.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from semantoks.scores.split.parts import TEST, TRAIN, VALIDATION

log = logging.getLogger(__name__)
Record = Mapping[str, str]


def follow(
    drawn: pd.DataFrame, records: Sequence[Record], target: pd.Series, *, of_values: bool
) -> tuple[pd.DataFrame, list[Record]] | None:
    """Take splits over as far as their participants are here.

    Parameters
    ----------
    drawn : DataFrame
        Participants of the main analysis, as `split` writes them, indexed by their ids.
    records : sequence of mapping
        Its splits, by ``split``.
    target : Series
        Values of the participants who can be scored here, indexed by their ids.
    of_values : bool
        Whether values must agree; classes that are cut at quantiles depend on who else is there.

    Returns
    -------
    rows, records
        Of the participants who are in both, and of splits that still have a training and a test
        part. None, with a warning, if somebody has another value here, or nobody is in both.
    """
    rows = drawn[drawn.index.isin(target.index)]
    others = rows["target"] != target.reindex(rows.index)
    if len(rows) == 0 or (of_values and others.any()):
        reason = f"{int(others.sum())} of them have other values" if len(rows) else "none is there"
        log.warning(
            "Of the %d participants of the main analysis, %s, so this variant has splits of its "
            "own, and its scores are not compared with the main analysis split by split.",
            len(drawn),
            reason,
        )
        return None
    if len(rows) < len(drawn):
        log.info("%d of %d participants of the main analysis are here", len(rows), len(drawn))
    return rows, [record for record in records if _has_parts(rows[record["split"]])]


def _has_parts(codes: pd.Series) -> bool:
    """Whether somebody trains and somebody is tested; a whole site may be gone."""
    return bool((codes == TEST).any() and codes.isin((TRAIN, VALIDATION)).any())
