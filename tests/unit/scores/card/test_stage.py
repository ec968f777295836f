from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import read_json
from semantoks.artifacts.representations import (
    FeatureBlock,
    read_scan_entities,
    write_representation,
)
from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import Scan
from semantoks.scores.card.contents import Card, Retest
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.card.stage import card, read_and_retest
from semantoks.scores.represent.connectivity import connectivity

PARTICIPANTS = [f"sub-{i:03d}" for i in range(120)]


def leakage_scores(
    folder: Path,
    features: np.ndarray,
    covariates: dict[str, Any],
    held_out: int = 0,
    **columns: str,
) -> dict[str, float]:
    """Leakage of covariates from features of 120 participants with one scan each."""
    scans = pd.DataFrame({"scan": PARTICIPANTS, "participant_id": PARTICIPANTS})
    scans = scans.assign(session="", task="", run="", status="ok", reason="")
    scans = scans.assign(recording=PARTICIPANTS, seconds=300.0)
    scans["held_out"] = scans.index < held_out
    write_table(folder / "t.parquet", scans)
    write_table(folder / "p.parquet", pd.DataFrame({"participant_id": PARTICIPANTS} | covariates))
    write_representation(folder / "r.parquet", scans, features)
    card(
        CardSettings(**columns),
        features=folder / "r.parquet",
        participants=folder / "p.parquet",
        scans=folder / "t.parquet",
        out=folder / "card.json",
    )
    content = Card.model_validate(read_json(folder / "card.json"))
    return {row.what: row.mean for row in content.leakage}


def test_covariates_in_the_features_leak(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((120, 8))
    covariates = {
        "age": 40 + 10 * features[:, 0] + rng.standard_normal(120),
        "sex": np.where(rng.random(120) < 0.5, "F", "M"),
        "centre": np.where(features[:, 1] > 0, "north", "south"),
    }
    scores = leakage_scores(tmp_path, features, covariates, site_column="centre")
    assert set(scores) == {"age", "sex", "site"}  # the scan length is the same for everybody
    assert scores["age"] > 0.9 and scores["site"] > 0.8 and 0.35 < scores["sex"] < 0.65


def test_blocks_have_parts_of_the_card(tmp_path: Path) -> None:
    """Which block holds age, and which is the same in the other session."""
    rng = np.random.default_rng(5)
    names = [f"sub-{i:02d}" for i in range(60) for _ in range(2)]
    table = pd.DataFrame({"participant_id": names, "session": ["1", "2"] * 60, "task": "rest"})
    table = table.assign(run="", scan=[f"{n}_{i:03d}" for i, n in enumerate(names)])
    trait = np.repeat(rng.standard_normal((60, 3)), 2, axis=0)
    features = np.hstack([trait, rng.standard_normal((120, 30))])
    features[:8, 3:] = np.nan
    blocks = [FeatureBlock("amplitude", 3), FeatureBlock("networks", 30)]
    write_representation(tmp_path / "r.parquet", table, features, blocks=blocks)
    scans = table.assign(status="ok", reason="", seconds=300.0, recording=table["scan"])
    write_table(tmp_path / "t.parquet", scans)
    people = pd.DataFrame({"participant_id": names[::2], "age": 40 + 10 * trait[::2, 0]})
    write_table(tmp_path / "p.parquet", people)
    card(
        CardSettings(),
        features=tmp_path / "r.parquet",
        participants=tmp_path / "p.parquet",
        scans=tmp_path / "t.parquet",
        out=tmp_path / "card.json",
    )
    content = Card.model_validate(read_json(tmp_path / "card.json"))
    assert list(content.blocks) == ["amplitude", "networks"]
    amplitude, networks = content.blocks.values()
    assert content.leakage[0].mean > 0.7 and amplitude.leakage[0].mean > 0.9
    assert networks.leakage[0].mean < 0.4
    # Some lack one block, and are left out of its part only.
    without = [part.people_without_features for part in (content, amplitude, networks)]
    assert without == [None, None, 4]
    assert amplitude.retest is not None and networks.retest is not None
    assert amplitude.retest.identification == 1 > 0.2 > networks.retest.identification
    assert (amplitude.retest.people, networks.retest.people) == (60, 56)


def test_resemblance_of_relatives_is_no_leakage(tmp_path: Path) -> None:
    """Twins have the same features and age, but the two are unrelated across families."""
    rng = np.random.default_rng(1)
    features = np.repeat(rng.standard_normal((60, 300)), 2, axis=0)
    features += 0.01 * rng.standard_normal(features.shape)
    covariates = {"age": np.repeat(rng.normal(40, 10, 60), 2), "pair": np.repeat(np.arange(60), 2)}
    assert leakage_scores(tmp_path, features, covariates)["age"] > 0.5
    assert leakage_scores(tmp_path, features, covariates, group_column="pair")["age"] < 0.3


def test_participants_without_features_do_not_make_a_clean_card(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((120, 8))
    covariates = {"age": 40 + 10 * features[:, 0]}
    features[::2] = np.nan
    assert leakage_scores(tmp_path, features, covariates)["age"] > 0.9
    content = read_json(tmp_path / "card.json")
    assert (content["people_without_features"], content["leakage"][0]["people"]) == (60, 60)


def test_sessions_without_a_common_feature_are_not_compared(tmp_path: Path) -> None:
    features = np.random.default_rng(0).standard_normal((80, 4))
    features[[0, 1, 2, 3], [0, 1, 2, 3]] = np.nan
    assert retested(write_sessions(tmp_path, features, ["rest"] * 80)) is None


def test_large_data_sets_are_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semantoks.scores.card.stage.MAX_PARTICIPANTS", 60)
    rng = np.random.default_rng(3)
    features = rng.standard_normal((120, 8))
    leakage_scores(tmp_path, features, {"age": 40 + 10 * features[:, 0]})
    row = read_json(tmp_path / "card.json")["leakage"][0]
    assert row["people"] == 60 and row["mean"] > 0.9
    monkeypatch.setattr("semantoks.scores.card.stage.MAX_PARTICIPANTS", 25)
    features = np.repeat(rng.standard_normal((40, 50)), 2, axis=0)
    result = retested(write_sessions(tmp_path, features, ["rest"] * 80))
    assert result is not None
    assert (result.people, result.identification, result.chance) == (25, 1.0, 1 / 25)


def retested(features: Path, copies: Sequence[int] = ()) -> Retest | None:
    """Test-retest reliability where the scans at some positions are copies of the one before."""
    table = read_scan_entities(features)[["scan"]]
    recordings = table["scan"].to_numpy(object, copy=True)
    for copy in copies:
        recordings[copy] = recordings[copy - 1]
    return read_and_retest(features, table.assign(recording=recordings))


def write_sessions(folder: Path, features: np.ndarray, task: list[str]) -> Path:
    """Write features of forty participants with two sessions each."""
    names = [f"sub-{i:02d}" for i in range(40) for _ in range(2)]
    table = pd.DataFrame({"participant_id": names, "session": ["1", "2"] * 40, "task": task})
    table = table.assign(run="", scan=[f"{n}_{i:03d}" for i, n in enumerate(names)])
    write_representation(folder / "r.parquet", table, features)
    return folder / "r.parquet"


def test_only_people_who_are_held_out_are_described(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    features = np.repeat(rng.standard_normal((40, 50)), 2, axis=0)
    path = write_sessions(tmp_path, features, ["rest"] * 80)
    table = read_scan_entities(path).assign(status="ok", seconds=300.0)
    table = table.assign(recording=table["scan"], held_out=table["participant_id"] < "sub-30")
    result = read_and_retest(path, table)
    assert result is not None and result.people == 30
    leakage_scores(tmp_path, rng.standard_normal((120, 8)), {"age": range(120)}, held_out=70)
    assert read_json(tmp_path / "card.json")["leakage"][0]["people"] == 70


def test_participants_with_two_sessions_are_identified(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    features = np.repeat(rng.standard_normal((40, 50)), 2, axis=0)
    features += 0.5 * rng.standard_normal(features.shape)
    result = retested(write_sessions(tmp_path, features, ["rest"] * 80))
    assert result is not None
    assert (result.people, result.identification, result.chance) == (40, 1.0, 1 / 40)
    assert result.icc == pytest.approx(0.8, abs=0.05)
    features[0] = np.nan  # a scan that is too short leaves out its participant only
    result = retested(write_sessions(tmp_path, features, ["rest"] * 80))
    assert result is not None
    assert (result.people, result.identification) == (39, 1.0)
    assert retested(write_sessions(tmp_path, features, ["rest", "task"] * 40)) is None


def test_a_copied_session_is_no_second_session(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    path = write_sessions(tmp_path, rng.standard_normal((80, 50)), ["rest"] * 80)
    result = retested(path, copies=range(1, 60, 2))
    assert result is not None and result.people == 10
    assert retested(path, copies=range(1, 80, 2)) is None


def test_identification_in_the_stages_data_is_as_known(tmp_path: Path, shared: Path) -> None:
    """37 participants with two sessions; 0.84 is the known rate from the second to the first."""
    with np.load(shared / "data/stages_fep_schaefer400_7n/timeseries.npz") as file:
        names, series = [str(name) for name in file["session"]], file["z_nogsr"].astype(np.float32)
    scans = [
        Scan(n, *n.split("_ses-"), "rest", "", 2.0, x) for n, x in zip(names, series, strict=True)
    ]
    table = pd.DataFrame([vars(scan) for scan in scans]).drop(columns=["timeseries_CT", "tr"])
    write_representation(tmp_path / "fc.parquet", table, np.stack(list(connectivity(scans))))
    result = retested(tmp_path / "fc.parquet")
    assert result is not None
    assert result.people == 37
    assert result.identification == pytest.approx(0.84, abs=0.05)
    assert 0.2 < result.icc < 0.8


def test_a_card_of_blocks_is_about_people(tmp_path: Path) -> None:
    """Sixty people with two sessions of four blocks: 480 blocks, of which neighbours are alike."""
    rng = np.random.default_rng(2)
    trait, trial = rng.standard_normal((60, 20)), rng.standard_normal((4, 20))
    rows, features = list[dict[str, object]](), list[np.ndarray]()
    for person in range(60):
        for session in ("ses-1", "ses-2"):
            for number in range(4):
                run = f"sub-{person:02d}_{session}_task-a"
                block = f"{run}_block-{number + 1:02d}"
                rows.append({"scan": block, "participant_id": block, "session": session})
                rows[-1] |= {"person": f"sub-{person:02d}", "source": run, "recording": block}
                # The order of trial types differs between sessions.
                kind = number if session == "ses-1" else 3 - number
                features.append(trait[person] + 3 * trial[kind])
    scans = pd.DataFrame(rows).assign(task="a", run="", status="ok", reason="", seconds=20.0)
    people = scans[["participant_id", "person"]].assign(age=40 + 10 * np.repeat(trait[:, 0], 8))
    write_table(tmp_path / "t.parquet", scans)
    write_table(tmp_path / "p.parquet", people.assign(trial_type="x"))
    noise = rng.standard_normal((480, 20))
    write_representation(tmp_path / "r.parquet", scans, np.stack(features) + noise)
    card(
        CardSettings(of_blocks=True, group_column="person"),
        features=tmp_path / "r.parquet",
        participants=tmp_path / "p.parquet",
        scans=tmp_path / "t.parquet",
        out=tmp_path / "card.json",
    )
    content = Card.model_validate(read_json(tmp_path / "card.json"))
    (age,) = content.leakage
    assert (age.what, age.people) == ("age", 60) and age.mean > 0.8
    assert content.retest is not None and content.retest.people == 60
    assert content.retest.identification > 0.9 and content.retest.chance == 1 / 60


def test_combat_takes_the_site_out_and_leaves_the_rest(tmp_path: Path) -> None:
    """Sites shift all features; sex is in one of them, and in each site alike."""
    rng = np.random.default_rng(0)
    site = np.array(["north", "south"])[rng.integers(0, 2, 120)]
    sex = np.array(["F", "M"])[rng.integers(0, 2, 120)]
    features = rng.standard_normal((120, 30)) + 1.5 * (site == "north")[:, None]
    features[:, 0] += 8.0 * (sex == "F")
    columns = {"site_column": "centre", "harmonize": "combat"}
    before = leakage_scores(tmp_path, features, {"centre": site, "sex": sex}, **columns)
    content = Card.model_validate(read_json(tmp_path / "card.json"))
    after = {row.what: row.mean for row in content.harmonized}
    assert before["site"] > 0.95 and before["sex"] > 0.85
    assert after["site"] < 0.65 and after["sex"] > 0.85
    leakage_scores(tmp_path, features, {"centre": site, "sex": sex}, site_column="centre")
    assert "harmonized" not in read_json(tmp_path / "card.json")
