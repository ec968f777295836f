"""Rows of a file of features, by the scans and participants of a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.representations import read_participant_features
from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Phenotype, Probe
from semantoks.errors import UserError
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.card.stage import card
from semantoks.scores.get_representation.settings import GetRepresentationSettings
from semantoks.scores.get_representation.stage import get_representation
from tests.conftest import run_probe, run_represent, run_split, write_cohort

EXACT = Probe(repeats=3, permutations=0, inner_folds=2, learning_curve=[])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """A cohort of 24 people, of whom sub-23 has no usable scan."""
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, manifest)
    return folder


def take(data: Path, table: pd.DataFrame, folder: Path) -> Path:
    table.to_csv(folder / "mine.tsv", sep="\t", index=False, na_rep="n/a")
    out, scans = folder / "mine.parquet", data / "scans.parquet"
    get_representation(
        GetRepresentationSettings(), files=[folder / "mine.tsv"], scans=scans, out=out
    )
    return out


def split_by_group(data: Path, folder: Path) -> Path:
    people, scans = data / "participants.parquet", data / "scans.parquet"
    task = Phenotype(kind="classification")
    run_split(people, scans, folder / "splits", name="group", phenotype=task)
    return folder / "splits"


def of_people(numbers: range) -> pd.DataFrame:
    """A feature that is the group, and noise."""
    noise = np.random.default_rng(0).standard_normal((len(numbers), 3))
    columns = {"participant_id": [f"{n:02d}" for n in numbers], "g": [n % 2 for n in numbers]}
    return pd.DataFrame(columns | {f"n{i}": noise[:, i] for i in range(3)})


def test_features_that_hold_the_answer_score_perfectly(data: Path, tmp_path: Path) -> None:
    """Beside noise, over the same splits; and the card sees who is who."""
    splits = split_by_group(data, tmp_path)
    scores = {}
    for name, columns in {"mine": ["g"], "noise": ["n0", "n1", "n2"]}.items():
        features = take(data, of_people(range(24))[["participant_id", *columns]], tmp_path)
        run_probe([features], splits, name, EXACT, tmp_path / f"{name}-scores")
        scores[name] = read_table(tmp_path / f"{name}-scores")["auroc"].mean()
    assert scores["mine"] == 1 and scores["noise"] < 0.8
    features = take(data, of_people(range(24)), tmp_path)
    inputs = {"participants": data / "participants.parquet", "scans": data / "scans.parquet"}
    card(CardSettings(site_column="town"), features=features, out=tmp_path / "card.json", **inputs)
    fc = tmp_path / "fc.parquet"
    run_represent("fc", sorted(data.glob("shard-*")), inputs["participants"], fc)
    run_probe([features, fc], splits, "mine+fc", EXACT, tmp_path / "stacked")
    assert read_table(tmp_path / "stacked")["auroc"].mean() > 0.9


def test_a_missing_participant_is_said_and_is_scored_as_unknown(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = take(data, of_people(range(1, 24)), tmp_path)
    assert "1 of 23 participants have no row in" in caplog.text and "sub-00" in caplog.text
    features = read_participant_features(out)
    assert features.participant_id == [f"sub-{n:02d}" for n in range(23)]
    assert np.isnan(features.features_PF[0]).all() and features.names == ["g", "n0", "n1", "n2"]
    splits = split_by_group(data, tmp_path)
    run_probe([out], splits, "mine", EXACT, tmp_path / "scores")
    assert read_metadata(tmp_path / "scores")["people_without_features"] == 1
    few = take(data, of_people(range(5, 24)), tmp_path)
    with pytest.raises(UserError, match=r"5 of 23 participants have no features in mine.*add it"):
        run_probe([few], splits, "mine", EXACT, tmp_path / "scores")


def test_a_feature_that_is_the_phenotype_itself_predicts_nothing(
    data: Path, tmp_path: Path
) -> None:
    """A table of embeddings may have been joined with one of participants."""
    table = of_people(range(24)).rename(columns={"g": "Group"})[["participant_id", "Group", "n0"]]
    out, splits = take(data, table, tmp_path), split_by_group(data, tmp_path)
    run_probe([out], splits, "mine", EXACT, tmp_path / "scores")
    assert read_metadata(tmp_path / "scores")["features"] == 1


def test_rows_are_matched_by_scan_or_by_session(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = read_table(data / "scans.parquet")
    second = sessions.assign(
        session="2", scan=sessions["participant_id"] + "_ses-2_task-rest", recording="copy"
    )
    both = pd.concat([sessions.assign(session="1"), second], ignore_index=True)
    write_table(tmp_path / "scans.parquet", both)
    rows = pd.DataFrame({"scan": both["scan"], "x": np.arange(48.0)}).drop(index=[30])
    features = read_participant_features(take(tmp_path, rows, tmp_path))
    assert features.features_PF[0] == 12 and features.features_PF[6] == 6  # means of 0, 24; of 6
    assert "1 of 46 scans have no row" in caplog.text and "sub-06_ses-2" in caplog.text
    people = [f"sub-{n:02d}" for n in range(24)]
    by_session = pd.DataFrame(
        {"participant_id": people * 2, "session": ["ses-2"] * 24 + ["9"] * 24}
    )
    out = read_table(take(tmp_path, by_session.assign(x=np.arange(48.0)), tmp_path))
    assert list(out["scan"][:2]) == ["sub-00_ses-2", "sub-01_ses-2"] and len(out) == 23
    assert list(out["session"].unique()) == ["2"]
    with pytest.raises(UserError, match="several rows of sub-00, and 23 too many"):
        take(tmp_path, by_session.drop(columns="session").assign(x=1.0), tmp_path)


def test_an_array_is_of_scans_if_its_ids_are(data: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.arange(48.0).reshape(24, 2))
    for ids in ([f"sub-{n:02d}" for n in range(24)], [f"sub-{n:02d}_task-rest" for n in range(24)]):
        (tmp_path / "ids.txt").write_text("\n".join(ids))
        files = [tmp_path / "mine.npy", tmp_path / "ids.txt"]
        out = tmp_path / "mine.parquet"
        settings = GetRepresentationSettings()
        get_representation(settings, files=files, scans=data / "scans.parquet", out=out)
        assert read_table(out)["scan"].tolist() == ids[:23]
        assert read_participant_features(out).features_PF[22].tolist() == [44, 45]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.assign(participant_id="x" + t.participant_id),
            "No row of .* is of a usable",
        ),
        (lambda t: t.assign(participant_id=t.participant_id.str.lstrip("0")), "leading zeros"),
        (lambda t: t.assign(g=np.inf), "Row 1 of .* has an infinite number"),
    ],
)
def test_rows_of_nobody_and_infinite_numbers_are_refused(
    change: object, message: str, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        take(data, change(of_people(range(1, 24))), tmp_path)  # type: ignore[operator]
