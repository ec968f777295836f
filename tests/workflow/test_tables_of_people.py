"""Tables of participants as data holders ship them lead to scores and to named confounds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from semantoks.artifacts.representations import read_participant_features
from semantoks.artifacts.tables import read_table
from tests.workspaces import Workspace

pytestmark = pytest.mark.slow
PEOPLE = [f"NDARAA{number:03}XX" for number in range(40)]
AGES = [f"{6 + number / 4:.2f}" for number in range(40)]


def write_hbn(folder: Path) -> None:
    """Write two releases of LORIS, a table of COINS with a row of items, and time series."""
    rng = np.random.default_rng(0)
    (folder / "data").mkdir(parents=True)
    (folder / "tables").mkdir()
    for name in PEOPLE:
        signals = rng.standard_normal((150, 300)).cumsum(axis=0) * 0.1
        np.save(folder / f"data/{name}.npy", signals + rng.standard_normal((150, 300)))
    header = 'Identifiers,"Basic_Demos,Age","Basic_Demos,Sex",Visit\n'
    for release, numbers in enumerate((range(22), range(20, 40)), 1):
        rows = [f'"{PEOPLE[n]},assessment",{AGES[n]},{n % 2},V1\n' for n in numbers]
        rows += [f'"{PEOPLE[n]},assessment",99,{n % 2},V2\n' for n in numbers if n % 3 == 0]
        (folder / f"tables/Release{release}.csv").write_text(header + "".join(rows))
    rows = [f"{name},{80 + number}\n" for number, name in enumerate(PEOPLE[:-1])]
    coins = "EID,CELF_Total\nAnonymized ID,Core language score\n" + "".join(rows)
    (folder / "tables/9994_CELF.csv").write_text(coins)


def run(folder: Path, **changes: Any) -> Workspace:
    """Run the workflow without a model."""
    dataset = {
        "source": "timeseries",
        "path": "data",
        "template": "{participant}.npy",
        "repetition_time": 2.0,
        "participants": [str(folder / "tables/Release*.csv"), str(folder / "tables/9994_*.csv")],
        "participant_column": ["EID", "Identifiers"],
        "participant_pattern": r"(\w+)(?:,assessment)?",
        "skip_rows": {"9994_*": 1},
        "visits": {"column": ["VISIT", "Visit"], "keep": "first"},
        "phenotypes": {
            "celf": {"kind": "regression", "column": ["CELF,CELF_Total", "CELF_Total"]},
            "age": {
                "kind": "regression",
                "column": ["Age", "Basic_Demos,Age"],
                "include": {"known": {"column": ["Sex", "Basic_Demos,Sex"], "values": [0, 1]}},
            },
        },
    }
    content = {
        "datasets": {"hbn": dataset | changes},
        "baselines": ["fc", "confounds"],
        "parcellation": {"min_dof": 5, "min_seconds": 60},
        "probe": {"repeats": 2, "inner_folds": 2, "permutations": 9, "learning_curve": []},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(content))
    return Workspace(folder)


def test_tables_of_hbn_lead_to_scores(tmp_path: Path) -> None:
    write_hbn(tmp_path)
    done = run(tmp_path).run()
    people = read_table(tmp_path / "results/index/hbn/participants.parquet")
    assert people["participant_id"].tolist() == PEOPLE
    assert np.allclose(people["Basic_Demos,Age"], np.array(AGES, float))
    assert people["CELF_Total"].notna().sum() == 39
    file = tmp_path / "results/representations/confounds/hbn.parquet"
    assert read_participant_features(file).names == ["age", "seconds", "sex=0", "sex=1"]
    sentence = r"age \(column 'Basic_Demos,Age'\).*not found: .*site \(site_column\)"
    assert re.search(sentence, done.stdout + done.stderr)
    page = (tmp_path / "results/report/index.html").read_text().replace("&#39;", "'")
    assert re.search(sentence, page)
    splits = read_table(tmp_path / "results/splits/hbn/celf.parquet")
    assert len(splits) == 39


def test_a_row_of_items_stops_the_plan_with_the_key(tmp_path: Path) -> None:
    write_hbn(tmp_path)
    done = run(tmp_path, skip_rows=0).run("--dry-run", check=False)
    assert done.returncode and "set `skip_rows: 1` of the data set" in done.stderr
    done = run(tmp_path, visits=None).run("--dry-run", check=False)
    assert done.returncode and "say which counts: `visits:" in done.stderr
