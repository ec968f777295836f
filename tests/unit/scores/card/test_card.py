"""What else is in a representation, and whether it stays the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import read_json
from semantoks.artifacts.representations import write_representation
from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import Scan
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.card.stage import card, retest
from semantoks.scores.represent.connectivity import connectivity

PEOPLE = [f"sub-{i:03d}" for i in range(120)]


def cards(
    folder: Path, features: np.ndarray, told: dict[str, Any], **columns: str
) -> dict[str, float]:
    """Scores of what is read from features of 120 people."""
    table = pd.DataFrame({"scan": PEOPLE, "participant_id": PEOPLE, "session": "", "task": ""})
    table = table.assign(run="", status="ok", reason="", fingerprint=PEOPLE, seconds=300.0)
    write_table(folder / "t.parquet", table)
    write_table(folder / "p.parquet", pd.DataFrame({"participant_id": PEOPLE} | told))
    write_representation(folder / "r.parquet", table, features)
    card(
        CardSettings(**columns),
        features=folder / "r.parquet",
        participants=folder / "p.parquet",
        scans=folder / "t.parquet",
        out=folder / "card.json",
    )
    rows = read_json(folder / "card.json")["leakage"]
    return {row["what"]: row["mean"] for row in rows}


def test_what_leaks_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((120, 8))
    told = {
        "age": 40 + 10 * features[:, 0] + rng.standard_normal(120),
        "sex": np.where(rng.random(120) < 0.5, "F", "M"),
        "centre": np.where(features[:, 1] > 0, "north", "south"),
    }
    found = cards(tmp_path, features, told, site_column="centre")
    assert set(found) == {"age", "sex", "site"}  # everybody was scanned for as long
    assert found["age"] > 0.9 and found["site"] > 0.8 and 0.35 < found["sex"] < 0.65


def test_relatives_leak_nothing(tmp_path: Path) -> None:
    """Twins have the same features and the same age, which have nothing to do with each other."""
    rng = np.random.default_rng(1)
    features = np.repeat(rng.standard_normal((60, 300)), 2, axis=0)
    features += 0.01 * rng.standard_normal(features.shape)
    told = {"age": np.repeat(rng.normal(40, 10, 60), 2), "pair": np.repeat(np.arange(60), 2)}
    assert cards(tmp_path, features, told)["age"] > 0.5
    assert cards(tmp_path, features, told, group_column="pair")["age"] < 0.3


def test_of_very_many_people_enough_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semantoks.scores.card.stage.MOST", 60)
    rng = np.random.default_rng(3)
    features = rng.standard_normal((120, 8))
    cards(tmp_path, features, {"age": 40 + 10 * features[:, 0]})
    row = read_json(tmp_path / "card.json")["leakage"][0]
    assert row["people"] == 60 and row["mean"] > 0.9
    monkeypatch.setattr("semantoks.scores.card.stage.MOST", 25)
    features = np.repeat(rng.standard_normal((40, 50)), 2, axis=0)
    about = retest(sessions(tmp_path, features, ["rest"] * 80), "")
    assert about is not None
    assert (about["people"], about["identification"], about["chance"]) == (25, 1.0, 1 / 25)


def sessions(folder: Path, features: np.ndarray, task: list[str]) -> Path:
    """Forty people with two sessions each."""
    names = [f"sub-{i:02d}" for i in range(40) for _ in range(2)]
    table = pd.DataFrame({"participant_id": names, "session": ["1", "2"] * 40, "task": task})
    table = table.assign(run="", scan=[f"{n}_{i:03d}" for i, n in enumerate(names)])
    write_representation(folder / "r.parquet", table, features)
    return folder / "r.parquet"


def test_people_are_found_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    features = np.repeat(rng.standard_normal((40, 50)), 2, axis=0)
    features += 0.5 * rng.standard_normal(features.shape)
    about = retest(sessions(tmp_path, features, ["rest"] * 80), "")
    assert about is not None
    assert (about["people"], about["identification"], about["chance"]) == (40, 1.0, 1 / 40)
    assert about["icc"] == pytest.approx(0.8, abs=0.05)
    features[0] = np.nan  # one scan was too short: that person is left out, and nobody else
    about = retest(sessions(tmp_path, features, ["rest"] * 80), "")
    assert about is not None
    assert (about["people"], about["identification"]) == (39, 1.0)
    assert retest(sessions(tmp_path, features, ["rest", "task"] * 40), "") is None


def test_people_of_stages_are_found_again_by_their_connectivity(
    tmp_path: Path, shared: Path
) -> None:
    """Of 37 people with two sessions 0.84 were known to be found, from the second to the first."""
    with np.load(shared / "data/stages_fep_schaefer400_7n/timeseries.npz") as file:
        names, series = [str(name) for name in file["session"]], file["z_nogsr"].astype(np.float32)
    scans = [
        Scan(n, *n.split("_ses-"), "rest", "", 2.0, x) for n, x in zip(names, series, strict=True)
    ]
    table = pd.DataFrame([vars(scan) for scan in scans]).drop(columns=["timeseries_CT", "tr"])
    write_representation(tmp_path / "fc.parquet", table, np.stack(list(connectivity(scans))))
    about = retest(tmp_path / "fc.parquet", "")
    assert about is not None
    assert about["people"] == 37
    assert about["identification"] == pytest.approx(0.84, abs=0.05)
    assert 0.2 < about["icc"] < 0.8
