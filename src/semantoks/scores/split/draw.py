"""Which people are trained on and which are tested on, split by split.

A split says of everybody `TRAIN`, `VALIDATION` (training people too, unless the protocol of the
paper chooses by them), `TEST` or `UNUSED`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedShuffleSplit

from semantoks.config import Phenotype, Splitting
from semantoks.errors import UserError

UNUSED, TRAIN, VALIDATION, TEST = -1, 0, 1, 2
# Always drawn; the probe scores the first few, so that more of them never move others.
REPEATS = 100
STRATA = 4  # quantile bins that a number is stratified by
MIN_SITE = 10  # people of a site that is tested by itself
MIN_CLASS = 5  # people of each class that are trained on then
FAMILY_DRAWS = 20


def draw(
    people: pd.DataFrame, task: Phenotype, settings: Splitting
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Draw all splits of a task.

    Parameters
    ----------
    people : DataFrame
        One row per person, sorted: ``target``, ``site`` and ``group`` (missing where there is
        none).
    task, settings
        What is predicted, and how it is split.

    Returns
    -------
    parts : dict of str to ndarray of int8
        One array per split.
    about : list of dict
        ``split``, ``scheme`` (random, fixed or site) and ``held_out`` (the site) of each.
    """
    splits = dict[str, np.ndarray]()
    about = list[dict[str, Any]]()

    def add(scheme: str, name: str, part: np.ndarray, held_out: str = "") -> None:
        splits[name] = part
        about.append({"split": name, "scheme": scheme, "held_out": held_out})

    if task.splits_file:
        for name, part in fixed(people, Path(task.splits_file)).items():
            add("fixed", f"fixed {name}", part)
    else:
        for repeat, part in enumerate(_random(people, task, settings)):
            add("random", f"random {repeat:02d}", part)
    for site, part in _sites(people, task):
        add("site", f"site {site}", part, site)
    return splits, about


def strata(target: pd.Series, task: Phenotype, tested: int) -> np.ndarray:
    """Classes, or quantile bins of a number: what every part shall have its share of."""
    if task.kind == "classification" and not task.bins:
        return np.unique(target.to_numpy(str), return_inverse=True)[1]
    bins = max(1, min(task.bins or STRATA, tested))  # each bin needs somebody to test
    ranks = target.rank(method="first").to_numpy() - 1  # ties must not leave a bin empty
    return np.asarray(np.floor(ranks * bins / len(target)).astype(int))


def _random(people: pd.DataFrame, task: Phenotype, settings: Splitting) -> list[np.ndarray]:
    sizes = _sizes(len(people), task, settings)
    layers = strata(people["target"], task, sizes[TEST])
    _check_sizes(sizes, len(people), len(np.unique(layers)))
    if people["group"].notna().any():
        return [_grouped(people, layers, sizes, settings, repeat) for repeat in range(REPEATS)]
    draws = StratifiedShuffleSplit(
        REPEATS,
        test_size=sizes[TEST],
        train_size=sizes[TRAIN] + sizes[VALIDATION],
        random_state=settings.seed,
    ).split(layers, layers)
    parts = []
    for repeat, (train, test) in enumerate(draws):
        part = np.full(len(people), UNUSED, np.int8)
        part[train], part[test] = TRAIN, TEST
        rng = np.random.default_rng([settings.seed, repeat])
        part[rng.permutation(train)[: sizes[VALIDATION]]] = VALIDATION
        parts.append(part)
    return parts


def _sizes(total: int, task: Phenotype, settings: Splitting) -> dict[int, int]:
    """Count the people that each part shall have."""
    tested = task.test_people or int(np.ceil(total * settings.test_fraction))
    checked = task.validation_people
    if checked is None:
        checked = round(total * settings.validation_fraction)
    return {TRAIN: task.train_people or total - tested - checked, VALIDATION: checked, TEST: tested}


def _check_sizes(sizes: dict[int, int], total: int, layers: int) -> None:
    wanted = sum(sizes.values())
    if wanted > total or min(sizes[TRAIN], sizes[TEST]) < layers:
        raise UserError(
            f"{sizes[TRAIN]} people are to be trained on, {sizes[VALIDATION]} to validate and "
            f"{sizes[TEST]} to be tested, of {total} in {layers} classes (or quantiles): at least "
            "one of each is needed in training and test. Change the task's train_people, "
            "validation_people and test_people, or splits.test_fraction."
        )


def _grouped(
    people: pd.DataFrame,
    layers: np.ndarray,
    sizes: dict[int, int],
    settings: Splitting,
    repeat: int,
) -> np.ndarray:
    """Draw one split that leaves every family on one side: of many draws the best balanced."""
    groups, rng = _groups(people), np.random.default_rng([settings.seed, repeat])
    count, classes = groups.max() + 1, layers.max() + 1
    share = np.bincount(layers, minlength=classes) / len(layers)
    best: tuple[float, np.ndarray | None] = (np.inf, None)
    for _ in range(FAMILY_DRAWS):
        rank = rng.permutation(count)
        order = np.argsort(rank[groups], kind="stable")  # families one after the other
        part = np.full(len(people), UNUSED, np.int8)
        filled, code = 0, TEST
        for family in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
            if filled >= sizes[code]:
                filled, code = 0, {TEST: VALIDATION, VALIDATION: TRAIN, TRAIN: UNUSED}[code]
                if code == VALIDATION and not sizes[VALIDATION]:
                    code = TRAIN
            if code == UNUSED:
                break
            part[family] = code
            filled += len(family)
        tested = np.bincount(layers[part == TEST], minlength=classes)
        trained = np.bincount(layers[part == TRAIN], minlength=classes)
        if tested.min() > 0 and trained.min() > 0:
            off = float(np.abs(tested / tested.sum() - share).sum())
            best = min(best, (off, part), key=lambda found: found[0])
    if best[1] is None:
        raise UserError(
            f"{count} families are too few to have every class (or quantile) in training and test."
            " Merge classes, add people, or drop group_column."
        )
    return best[1]


def _groups(people: pd.DataFrame) -> np.ndarray:
    """Give each family a number; who has none is one alone."""
    alone = pd.Series([f"alone {name}" for name in people.index], people.index)
    named = "family " + people["group"].astype("string")
    return np.unique(named.fillna(alone).to_numpy(str), return_inverse=True)[1]


def _sites(people: pd.DataFrame, task: Phenotype) -> list[tuple[str, np.ndarray]]:
    """Hold out one site after the other; a relative of somebody tested is not trained on."""
    site = people["site"]
    found, groups = list[tuple[str, np.ndarray]](), _groups(people)
    named = task.kind == "classification" and not task.bins
    for name in sorted(site.dropna().unique()):
        test = (site == name).to_numpy()
        train = ~test & site.notna().to_numpy() & ~np.isin(groups, groups[test])
        enough = test.sum() >= MIN_SITE and train.sum() >= MIN_SITE
        if named and enough:
            tested, trained = (people["target"][part].value_counts() for part in (test, train))
            enough = len(tested) > 1 and set(trained.index) >= set(tested.index)
            enough = enough and trained.min() >= MIN_CLASS
        if enough:
            part = np.full(len(people), UNUSED, np.int8)
            part[train], part[test] = TRAIN, TEST
            found.append((str(name), part))
    return found if len(found) > 1 else []


def fixed(people: pd.DataFrame, file: Path) -> dict[str, np.ndarray]:
    """Read splits that somebody else has fixed.

    Raises
    ------
    UserError
        When the file is not there, says something else than train, validation or test, or leaves
        a split without people to train on or to test.
    """
    if not file.exists():
        raise UserError(f"There is no {file}, which `splits_file` names.")
    separator = "," if file.suffix == ".csv" else "\t"
    try:
        table = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:  # empty, or not text in UTF-8
        raise UserError(f"{file} is not a readable table ({error}).") from None
    if "participant_id" not in table or len(table.columns) < 2:
        raise UserError(f"{file} needs a column participant_id and one per split.")
    if table["participant_id"].duplicated().any():
        twice = table["participant_id"][table["participant_id"].duplicated()].iloc[0]
        raise UserError(f"{file} names {twice} twice.")
    table = table.set_index("participant_id").reindex(people.index)
    codes = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "": UNUSED, "n/a": UNUSED}
    parts = {}
    for name in table.columns:
        words = table[name].fillna("")
        odd = sorted(set(words) - set(codes))
        if odd:
            raise UserError(
                f"{file}, split {name}, says '{odd[0]}'; say train, validation or test."
            )
        parts[str(name)] = words.map(codes).to_numpy(np.int8)
        for word in ("train", "test"):
            if not (parts[str(name)] == codes[word]).any():
                raise UserError(f"{file}, split {name}, has nobody of this task to {word}.")
    return parts


def check_classes(splits: dict[str, np.ndarray], target: pd.Series) -> None:
    """Make sure that every split trains on and tests every class."""
    codes = np.unique(target.to_numpy(str), return_inverse=True)[1]
    classes = codes.max() + 1
    for name, part in splits.items():
        for wanted in ((TRAIN, VALIDATION), (TEST,)):
            if name.startswith("site "):  # a site need not have every class
                continue
            if len(np.unique(codes[np.isin(part, wanted)])) < classes:
                raise UserError(
                    f"Split {name} has not all {classes} classes in training and test part: there "
                    "are too few people. Merge classes, add people, or raise splits.test_fraction."
                )


def check_leakage(splits: dict[str, np.ndarray], people: pd.DataFrame) -> None:
    """Make sure that no family has somebody trained on and somebody tested.

    People cannot be on both sides, as a split has one entry for each; identical scans of several
    people are left out before.
    """
    groups = _groups(people)
    for name, part in splits.items():
        trained = np.isin(part, (TRAIN, VALIDATION))
        both = np.intersect1d(groups[trained], groups[part == TEST])
        if len(both):
            one = people.index[(groups == both[0])][0]
            raise UserError(
                f"Split {name} trains on relatives of people that it tests ({one} and others). "
                "Mend the splits_file, or drop group_column."
            )


def first_of_duplicates(scans: pd.DataFrame) -> set[str]:
    """People who have a scan that somebody before them has too, to the last digit."""
    if "fingerprint" not in scans:
        return set()
    owners = scans.sort_values(["fingerprint", "participant_id"])
    first = owners.groupby("fingerprint")["participant_id"].transform("first")
    return set(owners.loc[owners["participant_id"] != first, "participant_id"])


def column_of(table: pd.DataFrame, column: str | None, people: pd.Index) -> pd.Series:
    """Words of a column of the table of people; all missing where none is named."""
    if column is None:
        return pd.Series(None, people, dtype="object")
    if column not in table:
        raise UserError(
            f"The table of people has no column '{column}' (site_column or group_column)."
        )
    values = pd.Series(table[column].to_numpy(), table["participant_id"]).reindex(people)
    return values.astype("string").astype("object").where(values.notna(), None)
