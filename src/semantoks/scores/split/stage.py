"""Who is trained on and who is tested on: by person, fixed per task, the same for everybody."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from semantoks.artifacts.tables import read_table, write_table
from semantoks.scores.split.draw import check_classes, check_leakage, column_of, draw
from semantoks.scores.split.people import check_target, choose, match
from semantoks.scores.split.settings import SplitSettings

log = logging.getLogger(__name__)


def split(settings: SplitSettings, *, participants: Path, scans: Path, out: Path) -> list[Path]:
    """Write who takes part in the prediction of a phenotype, and all splits of these people.

    The file has one row per person: ``participant_id``, ``target``, ``site``, ``group`` and a
    column of part numbers per split; the splits and who is left out are in its metadata.

    Raises
    ------
    UserError
        When the phenotype cannot be scored honestly.
    """
    name, phenotype = settings.name, settings.phenotype
    table = read_table(participants)
    target, left_out = choose(table, read_table(scans), name, phenotype)
    check_target(target, name, phenotype.kind, settings.splits, phenotype.bins)
    named_classes = phenotype.kind == "classification" and not phenotype.bins
    if settings.splits.match and named_classes:
        matched = match(target, table, settings.splits.match, name)
        left_out["people_without_a_match"] = len(target) - len(matched)
        target = matched
        check_target(target, name, phenotype.kind, settings.splits)
    people = pd.DataFrame({"target": target})
    for key, column in (("site", settings.site_column), ("group", settings.group_column)):
        people[key] = column_of(table, column, target.index)
    log.info("%d people have a usable scan and a value of %s", len(target), name)
    splits, about = draw(people, phenotype, settings.splits)
    if named_classes:
        check_classes(splits, target)
    check_leakage(splits, people)
    metadata = {
        "phenotype": name,
        "kind": phenotype.kind,
        "bins": phenotype.bins,
        "splits": about,
        "left_out": left_out,
    }
    rows = pd.concat([people, pd.DataFrame(splits, index=people.index)], axis=1)
    write_table(out, rows.rename_axis("participant_id").reset_index(), metadata)
    return [out]
