"""Data sets of regional time series for experiments, cleaned as the workflow cleans them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.abide import good_scans
from semantoks.artifacts.timeseries import Scan
from semantoks.artifacts.zscores import log_deviation, zscore
from semantoks.data.signals import clean, resample_time

HIGH_PASS, LOW_PASS, TR, MIN_SECONDS = 0.01, 0.1, 2.0, 120.0
BANDS = 4


@dataclass(frozen=True)
class Cohort:
    """Scans of a data set, one per participant.

    Attributes
    ----------
    scans : list of Scan
    participants : DataFrame
        In the order of the scans.
    phenotypes : dict of str to str
        Columns, and whether they are a classification or a regression.
    edges : ndarray
        Of the bands of the spectrum, Hz.
    """

    scans: list[Scan]
    participants: pd.DataFrame
    phenotypes: dict[str, str]
    edges: np.ndarray


def load(name: str, source: Path) -> Cohort:
    """Load a data set of the shared data, and clean it.

    Parameters
    ----------
    name : {"abide", "rpn"}
    source : Path
        Folder of the shared data.
    """
    phenotypes = {"sex": "classification", "age": "regression"}
    if name == "abide":
        folder = source / "abide1_cc200"
        phenotypes = {"diagnosis": "classification"} | phenotypes | {"fiq": "regression"}
        people, signals = good_scans(folder), _signals_of_abide(folder)
        edges = np.linspace(HIGH_PASS, LOW_PASS, BANDS + 1)
    else:
        folder = source / "rpn_pain_mist122"
        phenotypes |= {"bmi": "regression"}
        people = pd.read_csv(folder / "participants.tsv", sep="\t")
        signals = _signals_of_rpn(folder)
        edges = np.linspace(HIGH_PASS, 0.08, BANDS + 1)
    by_id = people.set_index("participant_id")
    scans = [
        scan
        for participant, raw_TC in signals
        if participant in by_id.index
        and (scan := _scan(participant, raw_TC, by_id.loc[participant, "tr"])) is not None
    ]
    order = [scan.participant_id for scan in scans]
    return Cohort(scans, by_id.loc[order].reset_index(), phenotypes, edges)


def _signals_of_abide(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    table = pd.read_csv(folder / "participants.tsv", sep="\t").set_index("participant_id")
    with np.load(folder / "timeseries.npz") as file:
        volumes, mean, deviation = file["z"], file["mean"], file["sd"]
        names = [str(name) for name in file["participant_id"]]
    for row, name in enumerate(names):
        start, stop = table.loc[name, ["row_start", "row_stop"]].astype(int)
        values = volumes[start:stop].astype(float) * deviation[row] + mean[row]
        yield name, np.where(deviation[row] > 0, values, np.nan)


def _signals_of_rpn(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    with np.load(folder / "timeseries.npz") as file:
        for name in file.files:
            if name != "regions":
                values = file[name].astype(float)
                yield name, np.where(values.std(axis=0) > 0, values, np.nan)


def _scan(participant: str, raw_TC: np.ndarray, tr: float) -> Scan | None:
    """Clean and resample a scan; None if it is too short."""
    if len(raw_TC) * tr < MIN_SECONDS:
        return None
    known_C = np.isfinite(raw_TC).all(axis=0)
    cleaned_TK = resample_time(clean(raw_TC[:, known_C], None, tr, LOW_PASS, HIGH_PASS), tr, TR)
    series_CT = np.full((raw_TC.shape[1], len(cleaned_TK)), np.nan)
    amplitude_C = np.full(raw_TC.shape[1], np.nan)
    series_CT[known_C] = zscore(cleaned_TK.T)
    amplitude_C[known_C] = log_deviation(cleaned_TK.T)
    return Scan(participant, participant, "", "rest", "", TR, series_CT, amplitude_C)
