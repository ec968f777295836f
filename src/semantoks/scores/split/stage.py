"""Select the participants of a phenotype and draw their splits.

The splits are drawn once per phenotype, so that all representations are scored on the same ones.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.artifacts.timeseries import included_scans, why_excluded
from semantoks.config import MIN_TESTED, PERSON, ColumnNames
from semantoks.errors import UserError
from semantoks.people.columns import find_column, may_be_absent
from semantoks.scores.participants import (
    LEFT_OUT,
    by_person,
    column_by_participant,
    scored_scans,
    text_column,
)
from semantoks.scores.represent.covariates import covariates_of_participants
from semantoks.scores.split.checks import check_classes, check_leakage, check_parts
from semantoks.scores.split.confounded import determining_confounds
from semantoks.scores.split.draw import draw
from semantoks.scores.split.eligibility import eligible_targets
from semantoks.scores.split.follow import follow
from semantoks.scores.split.matching import match
from semantoks.scores.split.parts import TEST, UNUSED, Split, codes_table, people_of
from semantoks.scores.split.schemes.fixed import count_seen, count_unknown
from semantoks.scores.split.settings import SplitSettings
from semantoks.scores.split.targets import check_target, in_fixed_classes, require_variation

log = logging.getLogger(__name__)


def split(
    settings: SplitSettings,
    *,
    participants: Path,
    scans: Path,
    out: Path,
    like: Path | None = None,
) -> list[Path]:
    """Write the participants of a phenotype and all their splits.

    Parameters
    ----------
    settings : SplitSettings
    participants : Path
        Table of participants.
    scans : Path
        Table of scans, included and excluded.
    out : Path
        Parquet with one row per participant: ``participant_id``, ``target``, ``site``, ``group``,
        of blocks ``person``, and a column of part codes per split. Its metadata lists the splits
        and counts who was left out.
    like : Path, optional
        Splits of the main analysis, which those of a variant follow; see `follow`.

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        If the phenotype cannot be scored with these participants and settings.
    """
    table, scan_table = read_table(participants), read_table(scans)
    if like is not None and _write_followed(settings, table, scan_table, like, out):
        return [out]
    target, left_out = _select(settings, table, scan_table)
    name, phenotype = settings.name, settings.phenotype
    described = _described(settings, table, target.index)
    rows = pd.concat([target.rename("target"), described], axis=1)
    everybody = _everybody(settings, table, scan_table)
    splits = draw(rows, phenotype, settings.splits, everybody)
    if everybody is not None:
        check_parts(splits, name)
    if phenotype.has_fixed_classes:
        check_classes(splits, target)
    # Random splits cannot fail here, but a `splits_file` of the user can.
    check_leakage(splits, rows)
    rows = pd.concat([rows, codes_table(splits, rows.index)], axis=1)
    if phenotype.splits_file:
        left_out["ids_of_the_splits_file"] = _count_unused(
            people_of(rows), scan_table, Path(phenotype.splits_file)
        )
        is_used = np.any([drawn.codes != UNUSED for drawn in splits], axis=0)
        left_out["people_in_no_split"] = int((~is_used).sum())
        rows = rows[is_used]
    _log_left_out(name, len(rows), left_out, "blocks" if settings.of_blocks else "participants")
    _log_few_tested(name, splits)
    metadata = {
        "phenotype": name,
        "kind": phenotype.kind,
        "bins": phenotype.bins,
        "cut": phenotype.cut,
        "edges": phenotype.edges,
        "splits": [drawn.record() for drawn in splits],
        "left_out": left_out,
        "determined_by": _determined_by(settings, table, scan_table, target),
    }
    write_table(out, rows.rename_axis("participant_id").reset_index(), metadata)
    return [out]


def _described(settings: SplitSettings, participants: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """Return the site and the family of participants; of blocks also the person."""
    columns = {
        "site": text_column(participants, _site_of(settings, participants), ids),
        "group": text_column(participants, settings.group_column, ids),
    }
    if settings.of_blocks:
        columns[PERSON] = text_column(participants, PERSON, ids)
    return pd.DataFrame(columns, index=ids)


def _everybody(
    settings: SplitSettings, participants: pd.DataFrame, scans: pd.DataFrame
) -> pd.DataFrame | None:
    """Describe all who may be scored, for splits that phenotypes share; None for other splits."""
    if not settings.splits.shared or settings.phenotype.has_own_splits:
        return None
    scanned = set(scored_scans(scans)["participant_id"])
    ids = pd.Index(sorted(scanned & set(participants["participant_id"])))
    return _described(settings, participants, ids)


def _write_followed(
    settings: SplitSettings, participants: pd.DataFrame, scans: pd.DataFrame, like: Path, out: Path
) -> bool:
    """Write the splits of the main analysis for those who are here; False if that is impossible."""
    name, phenotype = settings.name, settings.phenotype
    values, left_out = eligible_targets(participants, scans, name, phenotype)
    target = in_fixed_classes(values, name, phenotype)
    drawn, metadata = read_table(like).set_index("participant_id"), read_metadata(like)
    followed = follow(drawn, metadata["splits"], target, phenotype)
    if followed is None:
        return False
    rows, records = followed
    why = _why_left_out(left_out, scans)
    require_variation(rows["target"], name, why)
    if all(record["scheme"] == "site" for record in records):
        raise UserError(
            f"Phenotype '{name}': no split of the main analysis can be scored with the {len(rows)} "
            "participants of this variant, since each lacks a class, or everybody, in training or "
            f"test.{why} Change what excludes them, or leave the variant out."
        )
    left_out["people_not_in_the_main_analysis"] = len(target.index.difference(drawn.index))
    _log_left_out(name, len(rows), left_out, "blocks" if settings.of_blocks else "participants")
    write_table(out, rows.reset_index(), metadata | {"splits": records, "left_out": left_out})
    return True


def _site_of(settings: SplitSettings, participants: pd.DataFrame) -> ColumnNames | None:
    """Return the column of the site; None if the table has none of several names."""
    names = settings.site_column
    is_absent = names is not None and find_column(names, participants.columns) is None
    return None if names is None or (is_absent and may_be_absent(names)) else names


def _count_unused(participant_ids: pd.Index, scans: pd.DataFrame, file: Path) -> int:
    """Count the ids of the `splits_file` that have no scan or value, and name who was seen."""
    scans = by_person(scans)
    people = set(included_scans(scans)["participant_id"])
    seen = people - set(scored_scans(scans)["participant_id"])
    return count_unknown(participant_ids, file) - count_seen(seen, people, file)


def _log_left_out(name: str, used: int, left_out: dict[str, int], unit: str) -> None:
    reasons = _reasons(left_out)
    log.info("%s: %d %s%s", name, used, unit, f"; left out: {reasons}" if reasons else "")


def _log_few_tested(name: str, splits: Sequence[Split]) -> None:
    """Say before the models are trained that the report will not compare them."""
    tested = [int((drawn.codes == TEST).sum()) for drawn in splits if drawn.scheme != "site"]
    if tested and max(tested) < MIN_TESTED:
        log.warning(
            "%s: at most %d are tested, fewer than %d: no model will be compared with "
            "connectivity, and r is not computed",
            name,
            max(tested),
            MIN_TESTED,
        )


def _reasons(left_out: dict[str, int]) -> str:
    return ", ".join(f"{count} {LEFT_OUT[reason]}" for reason, count in left_out.items() if count)


def _why_left_out(left_out: dict[str, int], scans: pd.DataFrame) -> str:
    """Say why participants are not here, and most scans not used."""
    reasons = _reasons(left_out)
    return (f" Participants left out: {reasons}." if reasons else "") + why_excluded(scans)


def _determined_by(
    settings: SplitSettings, participants: pd.DataFrame, scans: pd.DataFrame, target: pd.Series
) -> list[str]:
    """Name the confounds that determine the phenotype, and say so."""
    usable = included_scans(scans)
    named = settings.confound_columns()
    covariates = covariates_of_participants(usable, participants, named)
    columns = settings.phenotype.columns_of(settings.name)
    confounds = determining_confounds(target, covariates, columns, named)
    if confounds:
        names = " and of ".join(confounds)
        log.warning(
            "%s is a copy of %s, or goes with it without exception, so its scores say how well "
            "that confound is predicted. Choose another phenotype, or participants in whom the two "
            "differ.",
            settings.name,
            names,
        )
    return confounds


def _matched(
    settings: SplitSettings,
    target: pd.Series,
    participants: pd.DataFrame,
    columns: Sequence[ColumnNames],
) -> pd.Series:
    """Match participants in pairs; of blocks, their people, all of whose blocks stay."""
    name, named = settings.name, settings.confound_columns()
    key = "splits.match" if settings.phenotype.match is None else "match"
    if PERSON not in participants:
        return match(target, participants, columns, name, key, named)
    people = column_by_participant(participants, PERSON).reindex(target.index)
    if target.groupby(people.to_numpy()).nunique().max() > 1:
        raise UserError(
            f"Phenotype '{name}' differs between the blocks of a person, so people cannot be "
            f"matched for it (`{key}`). Set `match: []` of the phenotype."
        )
    of_people = target.groupby(people.to_numpy()).first()
    table = participants.drop_duplicates(PERSON)
    table = table.assign(participant_id=table[PERSON])
    matched = match(of_people, table, columns, name, key, named)
    return target[people.isin(matched.index).to_numpy()]


def _select(
    settings: SplitSettings, participants: pd.DataFrame, scans: pd.DataFrame
) -> tuple[pd.Series, dict[str, int]]:
    """Return the target of eligible, possibly matched participants, and the numbers left out."""
    name, phenotype = settings.name, settings.phenotype
    numbers, left_out = eligible_targets(participants, scans, name, phenotype)
    why = _why_left_out(left_out, scans)
    require_variation(numbers, name, why)
    target = in_fixed_classes(numbers, name, phenotype)
    check_target(target, name, phenotype, settings.splits, why)
    if columns := phenotype.columns_to_match(settings.splits.match):
        matched = _matched(settings, target, participants, columns)
        left_out["people_without_a_match"] = len(target) - len(matched)
        check_target(matched, name, phenotype, settings.splits, _why_left_out(left_out, scans))
        return matched, left_out
    return target, left_out
