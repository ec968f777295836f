"""Sections of the page on scans and exclusions, one per data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from semantoks.artifacts.timeseries import EXCLUDED, INCLUDED, SOURCE, included_scans
from semantoks.config import PERSON, Dataset, Parcellation, Report
from semantoks.people.columns import confounds_sentence
from semantoks.people.ids import NO_ROW
from semantoks.report.figures.scans import Measure, distributions_figure
from semantoks.report.groups import people_figure
from semantoks.report.outliers import Outlier, outliers, page_of
from semantoks.report.privacy import (
    MIN_CELL_SIZE,
    count_text,
    is_small,
    participants_text,
    rounded,
    rounded_blocks,
    scan_count_text,
)
from semantoks.report.reasons import kind_of_exclusion, kind_of_unmatched

MOST_LISTED = 100  # excluded scans by name: the page of a large data set must not grow


@dataclass(frozen=True)
class ExcludedScan:
    """A scan that is not used, why, and its place among the pages of scans."""

    scan: str
    reason: str
    page: str


@dataclass(frozen=True)
class DatasetSection:
    """Scans of a data set.

    Attributes
    ----------
    name : str
    participants, used : int
        Participants with an included scan, and number of these scans.
    unit : str
        What they are: scans, or blocks of them.
    length : str
        Mean length, with its unit.
    mean_fd, coverage : float
        Means over included scans: framewise displacement (mm), share of regions with data.
    has_means : bool
        Whether they may be shown: means of few participants tell of each.
    excluded : DataFrame
        Rows of the table of scans.
    unlisted : DataFrame
        Of these, the rows of people who are not in the table of participants: of a sample of a
        large data set they may be most people, so they are counted and not named.
    listed : list of ExcludedScan
        The first of the other excluded scans by name; empty unless the report may name them.
    kinds : dict of str to DataFrame
        Excluded scans by kind of exclusion, most frequent first.
    figure : str or None
        Distributions of quality measures; None if none is known.
    people : str or None
        Participants by phenotype and site; None where they may not be shown.
    outliers : list of Outlier
        Included scans that are far from the others; empty unless they may be named.
    shards : int
        Number of pages of scans.
    smallest : int
        Bars of the figure with fewer participants are left out.
    unmatched : dict of str to int
        Number of participants that only the table has, by reason.
    confounds : str
        Which confounds the baseline uses, from which columns; empty if it is not among the
        baselines.
    """

    name: str
    participants: int
    used: int
    unit: str
    length: str
    mean_fd: float
    coverage: float
    has_means: bool
    excluded: pd.DataFrame
    unlisted: pd.DataFrame
    listed: list[ExcludedScan]
    kinds: dict[str, pd.DataFrame]
    figure: str | None
    people: str | None
    outliers: list[Outlier]
    shards: int
    smallest: int
    unmatched: dict[str, int]
    confounds: str


def dataset_section(
    name: str,
    scans: pd.DataFrame,
    dataset: Dataset,
    limits: Parcellation,
    settings: Report,
    left_out: pd.DataFrame | None = None,
    sources: Mapping[str, str | None] | None = None,
    participants: pd.DataFrame | None = None,
) -> DatasetSection:
    """Summarise the table of scans of a data set.

    Parameters
    ----------
    name : str
    scans : DataFrame
        Included and excluded scans.
    dataset : Dataset
    limits : Parcellation
        Thresholds that exclude scans.
    settings : Report
    left_out : DataFrame, optional
        Participants that only the table has, with a ``reason``.
    sources : mapping of str to (str or None), optional
        Where the confounds of the baseline come from; see `confounds_sentence`.
    participants : DataFrame, optional
        Table of participants, for the distributions of phenotypes and sites.
    """
    has_blocks = SOURCE in scans
    # Blocks are called by their own ids.
    scans = scans.assign(participant_id=scans[PERSON]) if has_blocks else scans
    used, excluded = included_scans(scans), scans[scans["status"] == EXCLUDED]
    people, count = used["participant_id"].nunique(), len(used)
    if has_blocks and people and not settings.participants:
        count = rounded_blocks(count, count / people)
    # Motion is that of the run.
    runs = scans.drop_duplicates(SOURCE) if has_blocks else scans
    is_unlisted = excluded["reason"] == NO_ROW
    others, shards = excluded[~is_unlisted], dataset.shards
    return DatasetSection(
        name=name,
        participants=people,
        used=count,
        unit="blocks" if has_blocks else "scans",
        length=_length(float(used["seconds"].mean()), has_blocks, settings),
        mean_fd=float(used["mean_fd"].mean()),
        coverage=float(used["coverage"].mean()),
        has_means=not is_small(people, settings),
        excluded=excluded,
        unlisted=excluded[is_unlisted],
        listed=[
            ExcludedScan(row["scan"], row["reason"], page_of(name, row, shards))
            for row in others.head(MOST_LISTED).to_dict("records")
            if settings.participants
        ],
        kinds=exclusions_by_kind(excluded),
        figure=_distributions(runs, limits, settings),
        people=people_figure(participants, set(used["participant_id"]), dataset, settings),
        outliers=outliers(name, included_scans(runs), shards) if settings.participants else [],
        shards=shards,
        smallest=1 if settings.participants else MIN_CELL_SIZE,
        unmatched=_unmatched(left_out, settings),
        confounds=_sentence(confounds_sentence(sources)) if sources else "",
    )


def sample_text(section: DatasetSection, settings: Report) -> str:
    """Write how many scans are used, of how many participants, and how many are excluded."""
    used = f"{count_text(section.used, settings)} {section.unit}"
    used += f" of {participants_text(section.participants, settings)}"
    excluded = section.excluded.drop(section.unlisted.index)
    if excluded.empty:
        return f"{used} (no scan excluded)"
    number = scan_count_text(excluded, settings)
    if number.startswith("of "):
        return f"{used} (scans {number} excluded)"
    return f"{used} ({number} {'scan' if number == '1' else 'scans'} excluded)"


def _distributions(runs: pd.DataFrame, limits: Parcellation, settings: Report) -> str | None:
    """Draw the measures of quality with their limits."""
    measures = [
        Measure("mean_fd", "mean FD (mm)", limits.max_mean_fd, top=2 * limits.max_mean_fd),
        Measure("tsnr", "tSNR", limits.min_tsnr, True),
        Measure("dvars", "DVARS (%)", limits.max_dvars),
        Measure("censored", "censored volumes", limits.max_censored, top=1.0),
        Measure("coverage", "regions with data", limits.min_scan_coverage, True, top=1.0),
        Measure("seconds", "length (s)", limits.min_seconds, True),
    ]
    if settings.participants:
        return distributions_figure(runs, measures)
    # Of excluded scans only motion: each more distribution would tell more of their number.
    hidden = [measure.column for measure in measures[1:] if measure.column in runs]
    is_used = runs["status"] == INCLUDED
    shown = runs.assign(**{column: runs[column].where(is_used) for column in hidden})
    return distributions_figure(shown, measures, MIN_CELL_SIZE)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _length(seconds: float, is_block: bool, settings: Report) -> str:
    decimals = 1 if settings.participants else 0
    if is_block:
        return f"{seconds:.{decimals}f} seconds"
    return f"{seconds / 60:.{decimals}f} minutes"


def _unmatched(left_out: pd.DataFrame | None, settings: Report) -> dict[str, int]:
    """Count participants without a partner; the reasons as written name the user's table."""
    if left_out is None:
        return {}
    reasons = left_out["reason"].astype(str)
    counts = (reasons if settings.participants else reasons.map(kind_of_unmatched)).value_counts()
    return {str(reason): int(counts[reason]) for reason in sorted(counts.index)}


def exclusions_by_kind(excluded: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Group excluded scans by the kind of their reason, most frequent first."""
    kinds = excluded["reason"].map(kind_of_exclusion)
    tables = {str(kind): table for kind, table in excluded.groupby(kinds)}
    # By rounded numbers, or the order would tell which of two equal ones is larger.
    return dict(sorted(tables.items(), key=lambda item: (-rounded(len(item[1])), item[0])))
