"""Representations of one's own, from a file and by an encoder, beside the baselines."""

from __future__ import annotations

import re
import shutil
import sys
import venv
from pathlib import Path

import pandas as pd
import pytest

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_metadata, read_table
from tests.encoders import install_example
from tests.workspaces import SMALL, Workspace

pytestmark = [pytest.mark.slow, pytest.mark.journeys]

CHANGES = {
    "datasets": {
        "small": {
            "source": "timeseries",
            "simulate": {"participants": 20, "two_sessions": 1, "seconds": 130},
            "phenotypes": {"group": "classification"},
        }
    },
    "models": {},
    "baselines": ["fc", "confounds"],
    "stacked": True,
    "probe": SMALL["probe"] | {"seconds": [60]},
}


def python_with_example(folder: Path) -> str:
    """Make an environment with what this one has, and the documented example of an encoder."""
    venv.create(folder / "venv", symlinks=True)
    (site,) = (folder / "venv/lib").glob("python*/site-packages")
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "here.pth").write_text("\n".join([*here, str(install_example(folder))]))
    return str(folder / "venv/bin/python")


def test_they_are_scored_like_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path / "work")
    workspace.folder.mkdir()
    workspace.configure(**CHANGES)
    workspace.run("results/index/small/participants.parquet")
    people = read_table(workspace.folder / "results/index/small/participants.parquet")
    answer = pd.factorize(people["group"])[0]
    # Ids as a table has them, and one participant less.
    table = pd.DataFrame({"participant_id": people["participant_id"].str[4:], "x": answer})
    table[1:].to_csv(workspace.folder / "of_small.csv", index=False)

    encoder = {"encoder": "between"}
    workspace.configure(**CHANGES, representations={"network": encoder})
    done = workspace.run("--dry-run", check=False)
    assert done.returncode and "There is no encoder 'between' among the entry points" in done.stderr
    monkeypatch.setattr(sys, "executable", python_with_example(tmp_path))
    workspace.run("results/representations/fc/small.parquet")
    shutil.copy(workspace.folder / "results/representations/fc/small.parquet", workspace.folder)
    representations = {
        "mine": {"path": "of_{dataset}.csv"},
        "same": {"path": "{dataset}.parquet"},
        "network": encoder,
    }
    both = {"both": ["network", "mine"]}
    workspace.configure(**CHANGES, representations=representations, combined=both)
    done = workspace.run()
    assert re.search(
        r"1 of \d+ participants have no row in of_small\.csv", done.stdout + done.stderr
    )
    assert workspace.planned() == {}

    results = workspace.folder / "results"
    content = read_json(results / "benchmarks/small/group.json")
    rows = {row["representation"]: row for row in content["schemes"][0]["representations"]}
    own = ["mine", "same", "network", "mine+fc", "same+fc", "network+fc", "both"]
    assert set(rows) == {*own, "fc", "confounds", "chance"}
    assert rows["mine"]["auroc"]["mean"] > 0.9
    assert all(rows["same"][key] == rows["fc"][key] for key in ("auroc", "balanced_accuracy"))
    assert rows["mine"]["people_without_features"] == 1
    assert rows["mine"]["difference_from_baseline"]["baseline"] == "fc"
    # A file is of whole scans, and so is what holds it.
    assert content["durations"].keys() == {"network", "network+fc", "fc"}
    assert {path.stem for path in results.glob("cards/small/*.json")} >= {"mine", "network"}
    features = read_metadata(results / "scores/small/group/both.parquet")["features"]
    regions = pd.read_csv(next(workspace.folder.glob("resources/atlases/*.tsv")), sep="\t")
    networks = regions["network"].nunique()
    assert features == 1 + networks * (networks - 1) // 2
    page = (results / "report/index.html").read_text()
    assert "“mine” was not made here but read from a file, so it is not known" in page
    assert "“network” was not made here but by an encoder of another package" in page
