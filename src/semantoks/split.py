"""Who is trained on and who is tested on: by person, fixed per task, the same for everybody."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedShuffleSplit

from semantoks.config import Kind, Splits
from semantoks.errors import UserError
from semantoks.store import read_scan_table, read_table, write_table

log = logging.getLogger(__name__)

REPEATS = (
    100  # always drawn; the probe scores the first few, so that more of them never move others
)
STRATA = 4  # quantile bins that a continuous target is stratified by


def targets(participants: pd.DataFrame, phenotype: str, kind: Kind) -> pd.Series:
    """Known values of a phenotype, by participant.

    Raises
    ------
    UserError
        When a regression target is not numeric.
    """
    if phenotype not in participants:
        raise UserError(f"participants.tsv has no column '{phenotype}' to predict.")
    values = participants.set_index("participant_id")[phenotype].dropna()
    if kind == "classification":
        return values.map(_class_name)
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.isna().any():
        wrong = values[numbers.isna()].iloc[0]
        raise UserError(
            f"Phenotype '{phenotype}' is to be regressed but holds '{wrong}'. Make it numeric in "
            "participants.tsv or call it a classification in the configuration."
        )
    return numbers.astype(float)


def _class_name(value: object) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def make_splits(target: pd.Series, kind: Kind, settings: Splits) -> pd.DataFrame:
    """Draw 100 stratified splits.

    Returns
    -------
    DataFrame
        ``repeat``, ``participant_id``, ``target``, ``test`` (bool), sorted.
    """
    target = target.sort_index()
    strata = target if kind == "classification" else _quantile_bins(target, settings)
    splitter = StratifiedShuffleSplit(
        REPEATS, test_size=settings.test_fraction, random_state=settings.seed
    )
    parts = []
    for repeat, (_, test) in enumerate(splitter.split(np.zeros(len(target)), strata)):
        inside = np.zeros(len(target), bool)
        inside[test] = True
        parts.append(
            pd.DataFrame(
                {
                    "repeat": repeat,
                    "participant_id": target.index,
                    "target": target.to_numpy(),
                    "test": inside,
                }
            )
        )
    splits = pd.concat(parts, ignore_index=True)
    if kind == "classification":
        _check_classes(splits, target.nunique())
    return splits


def _check_classes(splits: pd.DataFrame, classes: int) -> None:
    """Make sure that every split trains on and tests every class."""
    present = splits.groupby(["repeat", "test"])["target"].nunique()
    if (present < classes).any():
        raise UserError(
            f"Some splits have not all {classes} classes in training and test part: there are too "
            "few people. Merge classes, add people, or raise splits.test_fraction."
        )


def _quantile_bins(target: pd.Series, settings: Splits) -> np.ndarray:
    bins = min(STRATA, _test_people(len(target), settings))  # each bin needs somebody to test
    ranks = target.rank(method="first").to_numpy() - 1  # ties must not leave a bin empty
    return np.floor(ranks * bins / len(target)).astype(int)


def _test_people(people: int, settings: Splits) -> int:
    return int(np.ceil(people * settings.test_fraction))


def check_target(target: pd.Series, phenotype: str, kind: Kind, settings: Splits) -> None:
    """Refuse what cannot be scored honestly.

    Raises
    ------
    UserError
        When there is only one value, or a class has too few people to be in every test part.
    """
    if target.nunique() < 2:
        raise UserError(
            f"Phenotype '{phenotype}' has the same value in all {len(target)} people with a usable "
            "scan, so there is nothing to predict. Take it out of the configuration."
        )
    if kind == "classification":
        counts = target.value_counts()
        needed = int(np.ceil(1 / min(settings.test_fraction, 1 - settings.test_fraction)))
        if counts.min() < needed:
            raise UserError(
                f"Phenotype '{phenotype}': class '{counts.idxmin()}' has {counts.min()} people "
                f"with a usable scan, at least {needed} are needed to test some of them in every "
                f"split (splits.test_fraction: {settings.test_fraction:g}). Merge classes or take "
                "the phenotype out."
            )


def split(
    participants: Path,
    timeseries: Sequence[Path],
    phenotype: str,
    kind: Kind,
    settings: Splits,
    out: Path,
) -> None:
    """Write the splits of one phenotype of one data set."""
    scans = read_scan_table(timeseries)
    usable = set(scans.loc[scans["status"] == "ok", "participant_id"])
    known = targets(read_table(participants), phenotype, kind)
    target = known[known.index.isin(usable)]
    check_target(target, phenotype, kind, settings)
    log.info("%d people have a usable scan and a value of %s", len(target), phenotype)
    missing = {
        "people_without_value": len(usable - set(known.index)),
        "people_without_scan": len(set(known.index) - usable),
    }
    write_table(
        out, make_splits(target, kind, settings), {"phenotype": phenotype, "kind": kind} | missing
    )
