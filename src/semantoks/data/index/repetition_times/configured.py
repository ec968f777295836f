"""The repetition time (TR) of scans of which no file states it."""

from __future__ import annotations

import glob
import logging
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from semantoks.config import RepetitionTime
from semantoks.config.preflight.repetition_times import may_state_tr, no_repetition_time
from semantoks.data.index.people.participants import as_text, listed_columns
from semantoks.data.index.repetition_times.of_headers import with_header_tr
from semantoks.data.index.settings import IndexSettings
from semantoks.errors import UserError
from semantoks.people.layout import ID

log = logging.getLogger(__name__)


def with_configured_tr(
    scans: pd.DataFrame,
    participants: pd.DataFrame,
    settings: IndexSettings,
    data: Path,
    source: str,
) -> pd.DataFrame:
    """Fill in what the configuration says where no sidecar of a raw image states the TR.

    Where it says nothing either, that in the header of an image counts, see `with_header_tr`.

    Parameters
    ----------
    scans, participants : DataFrame
    settings : IndexSettings
    data : Path
        The data set, where other files than raw images may state their TR.
    source : str
        Names of the tables of participants, for messages.

    Raises
    ------
    UserError
        When no usable scan has a TR; if only some have none, that is their reason later.
    """
    given = settings.dataset.repetition_time
    if given is not None:
        # A sidecar is closer to the acquisition than a setting for the whole data set.
        of_person = scans["participant_id"].map(repetition_times(participants, given, source))
        scans = scans.assign(repetition_time=scans["repetition_time"].fillna(of_person))
        is_unknown = scans["repetition_time"].isna() & (scans["problem"] == "")
        unknown = scans.loc[is_unknown, "participant_id"].nunique()
        if unknown:
            log.warning(
                "`repetition_time` gives no TR for %d participant(s) with scans; what no file "
                "states is excluded",
                unknown,
            )
    is_raw = settings.dataset.source == "bids"  # whose sidecars have been read
    # FMRIPrep reads sidecars only; those of images in another layout are written for it.
    needs_sidecar = settings.by_fmriprep and settings.dataset.template is None
    if not needs_sidecar:
        scans = with_header_tr(scans, "bold" if is_raw else "file", data)
    usable = scans[scans["problem"] == ""]
    if needs_sidecar or usable.empty or usable["repetition_time"].notna().any():
        return scans
    if is_raw or not any(may_state_tr(file, False) for file in _files_of(usable, data)):
        hint = "" if given is None else " and no value of its `repetition_time`"
        raise UserError(no_repetition_time(f"No file of {data}{hint}"))
    return scans


def repetition_times(participants: pd.DataFrame, given: RepetitionTime, source: str) -> pd.Series:
    """Repetition time (s) of each participant's scans as configured, indexed by id.

    Parameters
    ----------
    participants : DataFrame
    given : float, str or dict
        Seconds, a column of the table with seconds, or ``{column: {value: seconds}}``.
    source : str
        Names of the tables of participants, for messages.

    Returns
    -------
    Series of float
        NaN where the table has no value, or one that is not listed.

    Raises
    ------
    UserError
        When the table lacks the column.
    """
    ids = participants[ID]
    if isinstance(given, int | float):
        return pd.Series(float(given), index=ids)
    column, seconds_of = (given, {}) if isinstance(given, str) else next(iter(given.items()))
    if column not in participants:
        raise UserError(
            f"`repetition_time` names the column '{column}', which is not in {source} (columns: "
            f"{listed_columns(participants)})."
        )
    values = participants[column]
    if seconds_of:
        by_text = {as_text(value): seconds for value, seconds in seconds_of.items()}
        values = values.map(lambda value: by_text.get(as_text(value)))
    seconds = pd.to_numeric(values, errors="coerce")
    odd = values[values.notna() & ~(seconds > 0)]
    if len(odd):
        raise UserError(
            f"`repetition_time` names the column '{column}' of {source}, which holds "
            f"'{odd.iloc[0]}'. Write seconds, or list what is missing in `missing_values`."
        )
    return pd.Series(seconds.to_numpy(float), index=ids)


def _files_of(scans: pd.DataFrame, data: Path) -> Iterator[Path]:
    """Yield the files of scans, and the JSON files that may be their sidecars."""
    for name, scan in zip(scans["file"], scans["scan"], strict=True):
        file = data if data.is_file() else data / name
        yield file
        parts = file.name.split(".")
        yield from (file.with_name(".".join(parts[:n]) + ".json") for n in range(1, len(parts) + 1))
        yield from file.parent.glob(f"{glob.escape(scan)}_*.json")  # of images in other spaces
    # Sidecars are inherited from the folders above.
    folders = {data / parent for name in scans["file"] for parent in Path(name).parents}
    for folder in sorted(folders) if data.is_dir() else ():
        yield from folder.glob("*_timeseries.json")
        yield from folder.glob("*_bold.json")
