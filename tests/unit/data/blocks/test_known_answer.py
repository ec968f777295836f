"""Two trial types that drive two sets of regions, from events to scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.config import Parcellation, Phenotype, Probe
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.samples.settings import SamplesSettings
from semantoks.data.samples.stage import samples
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.scans.stage import scans
from tests.conftest import NETWORKS, run_probe, run_represent, run_split
from tests.unit.data.blocks.conftest import Task, write_events

# UK Biobank: blocks of 21 s, TR 0.735 s, 332 volumes.
TR, VOLUMES, SECONDS = 0.735, 332, 21.0
ONSETS = {"shapes": (0, 54, 108, 162), "faces": (27, 81, 135, 189)}
PEOPLE = [f"sub-{number:02d}" for number in range(16)]
REGIONS = {"shapes": slice(0, 5), "faces": slice(5, 9)}


def raw_run(rng: np.random.Generator, effect: float) -> np.ndarray:
    """Regional means of a run at its own TR; a block raises its regions 5 s later."""
    times = np.arange(VOLUMES) * TR
    means_TC = np.cumsum(rng.standard_normal((VOLUMES, len(NETWORKS))), axis=0) / 20
    means_TC += rng.standard_normal(means_TC.shape)
    for trial_type, onsets in ONSETS.items():
        for onset in onsets:
            during = (times >= onset + 5) & (times < onset + 5 + SECONDS)
            means_TC[np.ix_(during, np.arange(len(NETWORKS))[REGIONS[trial_type]])] += effect
    return means_TC


@pytest.fixture
def task(tmp_path: Path) -> Task:
    task, rng = Task(tmp_path, PEOPLE), np.random.default_rng(0)
    settings = Parcellation().of_task_runs()
    task.arrays = [clean_scan(RegionalMeans(raw_run(rng, 1.0), TR), settings)[0] for _ in PEOPLE]
    rows = [f"{onset}\t{SECONDS}\t{kind}" for kind, of in ONSETS.items() for onset in of]
    for person in PEOPLE:
        write_events(task.events_file(person), rows, "onset\tduration\ttrial_type")
    return task


def scored(task: Task, column: str, representation: str = "mean_activity") -> pd.DataFrame:
    """Scores of a phenotype of the blocks, with its metadata."""
    folder, quick = task.results, Probe(repeats=5, permutations=19, learning_curve=[])
    samples_file, features = folder / "participants.parquet", folder / "features.parquet"
    run_represent(representation, [task.out], samples_file, features)
    run_split(
        samples_file,
        folder / "scans.parquet",
        folder / "splits.parquet",
        name=column,
        phenotype=Phenotype(kind="classification"),
        group_column="person",
        of_blocks=True,
    )
    run_probe(
        [features], folder / "splits.parquet", representation, quick, folder / "scores.parquet"
    )
    table = read_table(folder / "scores.parquet")
    table.attrs = read_metadata(folder / "scores.parquet")
    return table


def prepare(task: Task) -> None:
    """Cut the runs, and write the tables of scans and of blocks."""
    folder = task.results
    task.cut()
    scans(ScansSettings(), timeseries=[task.out], out=folder / "scans.parquet")
    people = pd.DataFrame({"participant_id": PEOPLE, "age": np.arange(len(PEOPLE))})
    write_table(folder / "people.parquet", people)
    blocks = folder / "atlas-toy_shard-0000_blocks.parquet"
    out = folder / "participants.parquet"
    samples(SamplesSettings(), blocks=[blocks], participants=folder / "people.parquet", out=out)
    table = read_table(out)
    shuffled = np.random.default_rng(1).permutation(table["trial_type"].to_numpy())
    write_table(out, table.assign(shuffled=shuffled))


def test_mean_activity_tells_trial_types_apart_and_shuffled_ones_not(task: Task) -> None:
    prepare(task)
    table = scored(task, "trial_type")
    assert table["balanced_accuracy"].mean() >= 0.95
    assert (table.attrs["people"], table.attrs["persons"]) == (16 * 8, 16)
    assert table.attrs["permuted"] == "within people" and table.attrs["p_permutation"] == 0.05
    by_chance = scored(task, "shuffled")
    assert 0.3 < by_chance["balanced_accuracy"].mean() < 0.7
    assert by_chance.attrs["p_permutation"] > 0.05
    splits = read_table(task.results / "splits.parquet")
    for name in [split for split in splits if split.startswith("random")]:
        assert (splits.groupby("person")[name].nunique() == 1).all()


def test_blocks_are_cut_after_filtering(task: Task) -> None:
    """Ten volumes of the run that was filtered, resampled and z-scored as a whole."""
    table = task.cut().set_index("scan")
    for number, onset in enumerate(sorted([*ONSETS["shapes"], *ONSETS["faces"]])):
        block = table.loc[f"{task.scan('sub-03')}_block-{number + 1:02d}"]
        first = int(np.ceil((onset + 5) / 2))
        expected = task.arrays[3][:, first : first + 10]
        assert np.array_equal(np.reshape(block["timeseries"], expected.shape), expected)
