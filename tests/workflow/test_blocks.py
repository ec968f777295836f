"""A task with events goes from runs to scores and the report as blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from semantoks.artifacts.tables import read_metadata, read_table
from tests.unit.data.blocks.test_known_answer import ONSETS, SECONDS, TR, raw_run
from tests.workspaces import SMALL, Workspace

pytestmark = pytest.mark.slow
PEOPLE = [f"10000{number:02d}" for number in range(14)]
NETWORKS = [*"aaaaa", *"bbbb", *"ccc"]


def write_biobank(folder: Path) -> None:
    """The tree of UK Biobank's field 20249, with time series in the place of images."""
    rng = np.random.default_rng(0)
    for person in PEOPLE:
        feat = folder / f"data/{person}_20249_2_0/fMRI/tfMRI.feat"
        timings = feat / "custom_timing_files"
        timings.mkdir(parents=True)
        table = pd.DataFrame(raw_run(rng, 1.0), columns=[f"r{n}" for n in range(12)])
        table.to_csv(feat / "series.tsv", sep="\t", index=False)
        for file, trial_type in (("ev1.txt", "shapes"), ("ev2.txt", "faces")):
            lines = [f"{onset} {SECONDS} 1\n" for onset in ONSETS[trial_type]]
            (timings / file).write_text("".join(lines))
    # Without faces.
    (folder / f"data/{PEOPLE[0]}_20249_2_0/fMRI/tfMRI.feat/custom_timing_files/ev2.txt").unlink()
    ages = "".join(f"{person},{50 + n}\n" for n, person in enumerate(PEOPLE))
    (folder / "data/people.csv").write_text(f"eid,age\n{ages}")
    rows = "".join(f"{n}\tr{n - 1}\t{name}\n" for n, name in enumerate(NETWORKS, 1))
    (folder / "toy.tsv").write_text(f"index\tname\tnetwork\n{rows}")


def configure(folder: Path, **changes: Any) -> Workspace:
    feat = "{participant}_20249_2_0/fMRI/tfMRI.feat"
    dataset = {
        "source": "timeseries",
        "path": "data",
        "template": f"{feat}/series.tsv",
        "repetition_time": TR,
        "participants": "people.csv",
        "participant_column": "eid",
        "shards": 2,
        "events": {
            "files": {
                "shapes": f"{feat}/custom_timing_files/ev1.txt",
                "faces": f"{feat}/custom_timing_files/ev2.txt",
            }
        },
        "phenotypes": {
            "hariri": {"kind": "classification", "column": "trial_type"},
            "age": "regression",
        },
    }
    content = SMALL | {
        "datasets": {"task": dataset | changes},
        "atlas": "toy",
        "atlases": {"toy": {"table": "toy.tsv"}},
        "baselines": ["fc", "tangent", "mean_activity", "confounds"],
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(content))
    return Workspace(folder)


def test_blocks_of_uk_biobank(tmp_path: Path) -> None:
    """Blocks of 21 s at a TR of 0.735 s: refused as scans, scored as blocks, split by person."""
    write_biobank(tmp_path)
    done = configure(tmp_path).run()
    results = tmp_path / "results"
    scans = read_table(results / "scans/task.parquet")
    excluded = scans[scans["status"] == "excluded"]
    assert excluded["scan"].tolist() == [PEOPLE[0]]
    assert "events: there is no 1000000_20249_2_0/fMRI" in excluded["reason"].iloc[0]
    assert "events: there is no 1000000" in done.stderr
    used = scans[scans["status"] == "ok"]
    assert len(used) == 13 * 8 and set(used["seconds"]) == {20.0} and used["person"].nunique() == 13
    samples = read_table(results / "blocks/task/participants.parquet")
    assert set(samples["person"]) == {*PEOPLE[1:]} and len(samples) == 13 * 8
    # Pretraining takes whole runs, also those without events.
    trained = json.loads((results / "models/tiny/config.json").read_text())["training"]
    assert trained["scans"] == 14
    splits = read_table(results / "splits/task/hariri.parquet")
    for name in [split for split in splits if split.startswith("random")]:
        assert (splits.groupby("person")[name].nunique() == 1).all()
    comparison = json.loads((results / "benchmarks/task/hariri.json").read_text())
    assert (comparison["people"], comparison["persons"]) == (104, 13)
    rows = {row["representation"]: row for row in comparison["schemes"][0]["representations"]}
    assert rows["mean_activity"]["balanced_accuracy"]["mean"] >= 0.95
    assert comparison["baseline"] == "best_connectivity"
    assert sum(rows["best_connectivity"]["chosen"].values()) == 2
    assert rows["tiny"]["difference_from_baseline"]["baseline"] == "best_connectivity"
    assert np.isfinite(rows["tiny"]["balanced_accuracy"]["mean"])
    by_person = read_metadata(results / "scores/task/age/fc.parquet")
    assert by_person["permuted"] == "people"
    card = json.loads((results / "cards/task/mean_activity.json").read_text())
    assert {row["people"] for row in card["leakage"]} <= {13}
    page = (results / "report/index.html").read_text()
    assert "104 blocks of 13 people" in page
    assert "permuted within each person" in page


def test_what_re_runs_when_events_change(tmp_path: Path) -> None:
    """Another delay cuts the runs anew; they are not parcellated and nothing is pretrained."""
    write_biobank(tmp_path)
    configure(tmp_path).run("timeseries")
    workspace = configure(tmp_path)
    feat = "{participant}_20249_2_0/fMRI/tfMRI.feat/custom_timing_files"
    files = {"shapes": f"{feat}/ev1.txt", "faces": f"{feat}/ev2.txt"}
    configure(tmp_path, events={"files": files, "delay": 6})
    assert workspace.planned("timeseries") == {"blocks": 2, "scans": 1, "timeseries": 1}
