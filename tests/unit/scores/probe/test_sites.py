"""Scores of features that are harmonised between sites, inside the training part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.representations import write_representation
from semantoks.artifacts.tables import read_table, write_table
from semantoks.config import Phenotype, Probe
from semantoks.errors import UserError
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.probe.stage import probe
from tests.conftest import run_split

PEOPLE = [f"sub-{i:03d}" for i in range(120)]
FAST = {"repeats": 4, "permutations": 0, "inner_folds": 3, "learning_curve": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two groups that differ by a little, and sites that differ by much more."""
    rng = np.random.default_rng(0)
    town = np.array(["north", "south", "west"])[rng.integers(0, 3, 120)]
    group = np.array(["a", "b"])[rng.integers(0, 2, 120)]
    values = rng.standard_normal((120, 40)) + 0.3 * (group == "b")[:, None]
    values *= 1.0 + 6.0 * (town == "north")[:, None]
    values += 8.0 * rng.standard_normal((3, 40))[np.unique(town, return_inverse=True)[1]]
    scans = pd.DataFrame({"scan": PEOPLE, "participant_id": PEOPLE})
    scans = scans.assign(session="", task="", run="", status="ok", reason="")
    scans = scans.assign(recording=PEOPLE, seconds=300.0, held_out=False)
    write_table(tmp_path / "scans.parquet", scans)
    table = pd.DataFrame({"participant_id": PEOPLE, "group": group, "town": town})
    write_table(tmp_path / "people.parquet", table)
    write_representation(tmp_path / "fc.parquet", scans, values)
    return tmp_path


def scores(folder: Path, name: str = "group", harmonize: str = "none") -> pd.DataFrame:
    splits, out = folder / "splits.parquet", folder / "scores.parquet"
    run_split(
        folder / "people.parquet",
        folder / "scans.parquet",
        splits,
        name=name,
        phenotype=Phenotype(kind="classification"),
        site_column="town",
    )
    settings = ProbeSettings(
        probe=Probe.model_validate(FAST | {"harmonize": harmonize}), site_column="town"
    )
    probe(settings, features=[folder / "fc.parquet"], splits=[splits], representation="fc", out=out)
    return read_table(out).set_index("split")["balanced_accuracy"]


def test_what_sites_hide_is_found(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw, harmonised = scores(folder), scores(folder, harmonize="combat")
    random = raw.index.str.startswith("random")
    assert raw[random].mean() + 0.1 < harmonised[random].mean()
    assert harmonised[random].mean() > 0.75
    # A site that is left out is not known to the fit.
    assert (
        "In 3 of 7 splits, 120 tests are of participants of a site that is unknown" in caplog.text
    )


def test_the_site_itself_is_not_predicted_from_harmonised_features(folder: Path) -> None:
    assert scores(folder, "town").mean() > 0.5
    with pytest.raises(UserError, match="Phenotype 'town' is the site, which probe.harmonize"):
        scores(folder, "town", "combat")


def test_harmonising_needs_sites(folder: Path) -> None:
    splits = folder / "s.parquet"
    run_split(
        folder / "people.parquet",
        folder / "scans.parquet",
        splits,
        name="group",
        phenotype=Phenotype(kind="classification"),
    )
    settings = ProbeSettings(probe=Probe.model_validate(FAST | {"harmonize": "combat"}))
    out = folder / "scores.parquet"
    with pytest.raises(UserError, match="but no participant of phenotype 'group' has one"):
        probe(
            settings,
            features=[folder / "fc.parquet"],
            splits=[splits],
            representation="fc",
            out=out,
        )
