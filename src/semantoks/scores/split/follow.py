"""Splits of a variant: those of the main analysis, without the participants it does not have.

So the scores of both can be compared split by split, although, for instance, a stricter threshold
of head motion excludes some participants.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from semantoks.config import Phenotype
from semantoks.scores.split.parts import TEST, TRAIN, VALIDATION
from semantoks.scores.split.schemes.sites import is_large_enough

log = logging.getLogger(__name__)
Record = Mapping[str, str]


def follow(
    drawn: pd.DataFrame, records: Sequence[Record], target: pd.Series, phenotype: Phenotype
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
    phenotype : Phenotype
        Values must agree, except classes that are cut at quantiles, which depend on who else is
        there.

    Returns
    -------
    rows, records
        Of the participants who are in both, and of splits that can still be scored. None, with a
        warning, if somebody has another value here, a class is gone, or nobody is in both.
    """
    of_values = not phenotype.bins or phenotype.cut == "training"
    rows = drawn[drawn.index.isin(target.index)]
    others = rows["target"] != target.reindex(rows.index)
    gone = sorted({*drawn["target"]} - {*rows["target"]}) if phenotype.has_fixed_classes else []
    if len(rows) == 0 or gone or (of_values and others.any()):
        reason = f"{int(others.sum())} of them have other values" if len(rows) else "none is there"
        if len(rows) and gone:  # fewer classes are easier to tell apart
            reason = f"none of the class '{gone[0]}' is there"
        log.warning(
            "Of the %d participants of the main analysis, %s, so this variant has splits of its "
            "own, and its scores are not compared with the main analysis split by split.",
            len(drawn),
            reason,
        )
        return None
    if len(rows) < len(drawn):
        log.info("%d of %d participants of the main analysis are here", len(rows), len(drawn))
    return rows, _usable(rows, records, phenotype)


def _usable(rows: pd.DataFrame, records: Sequence[Record], phenotype: Phenotype) -> list[Record]:
    """Select the splits that would be drawn here, too, and say how many are left out."""
    usable = [record for record in records if _is_usable(rows, record, phenotype)]
    of_sites = [record for record in usable if record["scheme"] == "site"]
    if len(of_sites) == 1:
        usable.remove(of_sites[0])  # as in `site_splits`
    if len(usable) < len(records):
        log.warning(
            "%d of %d splits of the main analysis are left out, because too few participants or "
            "classes of their training or test parts are here",
            len(records) - len(usable),
            len(records),
        )
    return usable


def _is_usable(rows: pd.DataFrame, record: Record, phenotype: Phenotype) -> bool:
    """Whether a site is still large enough, or both parts still have all classes."""
    codes = rows[record["split"]]
    train, test = codes.isin((TRAIN, VALIDATION)).to_numpy(), (codes == TEST).to_numpy()
    if record["scheme"] == "site":
        return is_large_enough(rows, train, test, phenotype)
    if not phenotype.has_fixed_classes:
        return bool(train.any() and test.any())
    classes = rows["target"].nunique()
    return all(rows.loc[part, "target"].nunique() == classes for part in (train, test))
