"""Who is trained on and who is tested on: by person, fixed per task, the same for everybody."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from semantoks.artifacts.tables import read_table, write_table
from semantoks.config import Splits, Task
from semantoks.scores.split.draw import check_classes, check_leakage, column_of, draw
from semantoks.scores.split.people import check_target, choose, match

log = logging.getLogger(__name__)


def split(
    participants: Path,
    scans: Path,
    phenotype: str,
    task: Task,
    settings: Splits,
    out: Path,
    *,
    site_column: str | None = None,
    group_column: str | None = None,
) -> None:
    """Write who takes part in a task, and all its splits.

    The file has one row per person: ``participant_id``, ``target``, ``site``, ``group`` and a
    column of part numbers per split; the splits and who is left out are in its metadata.

    Raises
    ------
    UserError
        When the task cannot be scored honestly.
    """
    table = read_table(participants)
    target, left_out = choose(table, read_table(scans), phenotype, task)
    check_target(target, phenotype, task.kind, settings, task.bins)
    if settings.match and task.kind == "classification" and not task.bins:
        matched = match(target, table, settings.match, phenotype)
        left_out["people_without_a_match"] = len(target) - len(matched)
        target = matched
        check_target(target, phenotype, task.kind, settings)
    people = pd.DataFrame({"target": target})
    for name, column in (("site", site_column), ("group", group_column)):
        people[name] = column_of(table, column, target.index)
    log.info("%d people have a usable scan and a value of %s", len(target), phenotype)
    splits, about = draw(people, task, settings)
    if task.kind == "classification" and not task.bins:
        check_classes(splits, target)
    check_leakage(splits, people)
    metadata = {
        "phenotype": phenotype,
        "kind": task.kind,
        "bins": task.bins,
        "splits": about,
        "left_out": left_out,
    }
    rows = pd.concat([people, pd.DataFrame(splits, index=people.index)], axis=1)
    write_table(out, rows.rename_axis("participant_id").reset_index(), metadata)
