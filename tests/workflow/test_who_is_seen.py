"""People who are held out, or not in the table, are not pretrained on under whatever name.

The stages run one after the other as the rules run them, from tables of time series to a model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import read_scan_table
from semantoks.commands.left_out import left_out_lines
from semantoks.config import Config, Dataset, Events, Origin, Parcellation, Pretraining, Training
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.parcellate.stage import parcellate
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.scans.stage import scans
from semantoks.errors import UserError
from semantoks.model.corpus.seen import SeenScans
from semantoks.model.pretrain.settings import PretrainSettings
from semantoks.model.pretrain.stage import pretrain
from semantoks.people.ids import NO_ROW
from semantoks.report.overlap import overlaps
from tests.conftest import run_index
from tests.unit.data.blocks.conftest import Task, write_events
from tests.unit.model.conftest import SIZES

REGIONS = [f"r{i}" for i in range(12)]
VOLUMES = 120


def recordings(count: int, seed: int) -> list[np.ndarray]:
    """Regional means of people with connectivity of their own."""
    rng = np.random.default_rng(seed)
    mixtures = rng.standard_normal((count, 4, len(REGIONS)))
    return [
        rng.standard_normal((VOLUMES, 4)) @ m + rng.standard_normal((VOLUMES, 12)) for m in mixtures
    ]


def write_scan(folder: Path, scan: str, means_TC: np.ndarray) -> None:
    table = pd.DataFrame(1000 + 5 * means_TC, columns=REGIONS)
    table.to_csv(folder / f"{scan}_timeseries.tsv", sep="\t", index=False)


def run_to_scans(results: Path, data: Path, listed: Sequence[str], **settings: Any) -> Path:
    """Run `index`, `parcellate` and `scans`; return the file of time series."""
    rows = ["participant_id\tage", *(f"{name}\t{30 + i}" for i, name in enumerate(listed))]
    (data / "participants.tsv").write_text("\n".join(rows) + "\n")
    dataset = Dataset(path=str(data), source="timeseries", repetition_time=2.0, **settings)
    index = results / "index" / data.name
    run_index(data, data / "participants.tsv", dataset, index)
    atlas = results / "atlas-toy_dseg.tsv"
    networks = [f"{n}\t{name}\t{'ABC'[n % 3]}" for n, name in enumerate(REGIONS, 1)]
    atlas.write_text("\n".join(["index\tname\tnetwork", *networks]) + "\n")
    atlas.with_suffix(".json").write_text(json.dumps({"space": "MNI152NLin6Asym"}))
    out = results / "timeseries" / data.name / "shard-0000.parquet"
    parcellate(
        ParcellateSettings(
            atlas="toy",
            origin=Origin(source="timeseries"),
            parcellation=Parcellation(min_dof=1, min_seconds=60),
        ),
        shard=index / "shard-0000.tsv",
        data=data,
        atlas_table=atlas,
        atlas_metadata=atlas.with_suffix(".json"),
        out=out,
    )
    table = results / "scans" / f"{data.name}.parquet"
    scans(ScansSettings(), timeseries=[out], held_out=index / "held_out.tsv", out=table)
    return out


def run_pretrain(results: Path, timeseries: Sequence[Path], *tables: str) -> dict[str, Any]:
    out = results / "models/tiny/encoder.safetensors"
    training = Training(epochs=1, batch_size=4, warmup_epochs=0)
    pretrain(
        PretrainSettings(model=Pretraining(architecture=SIZES, training=training)),
        timeseries=timeseries,
        scans=[results / "scans" / f"{name}.parquet" for name in tables],
        out=out,
    )
    summary: dict[str, Any] = read_json(out.with_name("config.json"))["training"]
    return summary


def scans_of(seen: SeenScans, timeseries: Sequence[Path]) -> list[str]:
    """Name the scans by their time series."""
    tables = [read_table(path) for path in timeseries]
    names = {
        np.asarray(row["timeseries"]).tobytes(): row["scan"]
        for table in tables
        for _, row in table[table["status"] == "ok"].iterrows()
    }
    return [names[np.ascontiguousarray(array).tobytes()] for array in seen]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data/a").mkdir(parents=True)
    (tmp_path / "results").mkdir()
    for n, means_TC in enumerate(recordings(12, seed=0)):
        write_scan(tmp_path / "data/a", f"sub-{n:02d}", means_TC)
    return tmp_path / "data/a"


def test_people_who_are_not_in_the_table_are_not_seen(data: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    path = run_to_scans(results, data, [f"sub-{n:02d}" for n in range(8)])
    table = read_scan_table([path]).set_index("scan")
    assert (table["status"] == "ok").sum() == 8
    assert set(table.loc[table["status"] != "ok", "reason"]) == {NO_ROW}
    assert run_pretrain(results, [path])["scans"] == 8
    lines = list(left_out_lines(results, "a"))
    assert len(lines) == 2 and "4 scan(s) excluded" in lines[0] and NO_ROW in lines[1]


def test_people_who_are_held_out_are_not_seen_under_any_name(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A scan of sub-00 is that of sub-11, too, and one of sub-01 that of sub-x in `b`."""
    results, (first, second, *_) = tmp_path / "results", recordings(12, seed=0)
    write_scan(data, "sub-11", 3 * first[1:])
    other = tmp_path / "data/b"
    other.mkdir()
    for name, means_TC in zip("uvw", recordings(3, seed=1), strict=True):
        write_scan(other, f"sub-{name}", means_TC)
    write_scan(other, "sub-x_run-1", second[:90])
    write_scan(other, "sub-x_run-2", recordings(1, seed=2)[0])
    (tmp_path / "held_out.txt").write_text("00\nsub-01\n")
    hold_out = str(tmp_path / "held_out.txt")
    paths = [
        run_to_scans(results, data, [f"sub-{n:02d}" for n in range(12)], hold_out=hold_out),
        run_to_scans(results, other, ["sub-u", "sub-v", "sub-w", "sub-x"]),
    ]
    held = read_table(results / "scans/a.parquet")
    assert held.loc[held["held_out"], "scan"].tolist() == ["sub-00", "sub-01"]
    with caplog.at_level("INFO"):
        summary = run_pretrain(results, paths, "a", "b")
    assert "2 participant(s) are held out: 5 of 17 scans are left out of pretraining" in caplog.text
    counts = {key: value for key, value in summary.items() if key.startswith("held_out")}
    assert counts == {
        "held_out_people": 2,
        "held_out_scans": 5,
        "held_out_scans_under_other_ids": 3,
    }
    assert "held out scans: 5" in (results / "models/tiny/README.md").read_text()
    tables = [results / f"scans/{name}.parquet" for name in "ab"]
    expected = [f"sub-{n:02d}" for n in range(2, 11)] + ["sub-u", "sub-v", "sub-w"]
    assert scans_of(SeenScans(paths, tables), paths) == expected
    # A model that is trained on the other data set alone has no scan of `a` to leave out.
    assert scans_of(SeenScans(paths[1:], tables), paths[1:]) == ["sub-u", "sub-v", "sub-w"]


def test_a_model_is_not_trained_on_nobody_or_on_who_is_not_known(
    data: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    path = run_to_scans(results, data, [f"sub-{n:02d}" for n in range(8)], hold_out=8)
    with pytest.raises(UserError, match="All 8 scans of a are of people who are held out"):
        run_pretrain(results, [path], "a")
    (results / "scans/a.parquet").rename(results / "scans/c.parquet")
    with pytest.raises(UserError, match="no table of scans of a among c"):
        run_pretrain(results, [path], "c")
    table = read_table(results / "scans/c.parquet")
    table[1:].assign(held_out=False).to_parquet(results / "scans/a.parquet")
    with pytest.raises(UserError, match=r"has the scan sub-00, which the table of scans of a"):
        list(SeenScans([path], [results / "scans/a.parquet"]))


def test_runs_of_held_out_people_without_a_usable_block_are_not_seen(tmp_path: Path) -> None:
    """One has no events, the window of another is outside of the run; both runs are complete."""
    people = [f"sub-{number:02d}" for number in range(1, 7)]
    task = Task(tmp_path, people)
    for person in people:
        if person != "sub-02":
            onset = 500 if person == "sub-03" else 10
            write_events(task.events_file(person), [f"{onset}\t20"])
    task.cut(Events(delay=0))
    held_out = tmp_path / "held_out.tsv"
    held_out.write_text("participant_id\nsub-01\nsub-02\nsub-03\n")
    timeseries = tmp_path / "timeseries/task/runs.parquet"
    timeseries.parent.mkdir(parents=True)
    (task.results / "runs.parquet").rename(timeseries)
    table = tmp_path / "task.parquet"
    scans(ScansSettings(), timeseries=[task.out], held_out=held_out, out=table)
    seen = SeenScans([timeseries], [table])
    person_of = {run.tobytes(): name for run, name in zip(task.arrays, people, strict=True)}
    assert [person_of[run.tobytes()] for run in seen] == ["sub-04", "sub-05", "sub-06"]
    assert (seen.summary["held_out_people"], seen.summary["held_out_scans"]) == (3, 3)
    config = Config.model_validate(
        {
            "datasets": {
                "task": {
                    "path": "x",
                    "events": {},
                    "hold_out": 3,
                    "phenotypes": {"trial_type": "classification"},
                }
            },
            "models": {"tiny": {}},
        }
    )
    (overlap,) = overlaps({"task": read_table(table)}, config)
    assert (overlap.participants, overlap.same_id, overlap.same_scan) == (1, 0, 0)
