"""The readout `full`, from time series to scores."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from semantoks.artifacts.representations import read_participant_features
from semantoks.artifacts.tables import read_table
from tests.workspaces import SMALL, Workspace

pytestmark = pytest.mark.slow

REGIONS, NETWORKS = 300, 14  # with the regions that are of no network
TINY: dict[str, Any] = SMALL["models"]["tiny"] | {
    "readouts": ["pooled", "full"],
    "training": {"epochs": 1, "batch_size": 8, "warmup_epochs": 0},
    "cpu_threads": 1,
}
UNTRAINED = TINY | {"readouts": ["full"], "training": {"epochs": 0}}
DATASET = {
    "source": "timeseries",
    "simulate": {"participants": 24, "two_sessions": 0, "seconds": 130},
    "shards": 2,
    "site_column": "sex",  # the simulation has no sites
    "phenotypes": {"group": {"kind": "classification"}},
}
FULL = "results/representations/{}-full/toy.parquet"


def configure(workspace: Workspace, **models: dict[str, Any]) -> None:
    workspace.configure(datasets={"toy": DATASET}, models=models, baselines=["fc"])


def blocks_of(workspace: Workspace, name: str) -> dict[str, int]:
    features = read_participant_features(workspace.folder / FULL.format(name))
    return {block.name: block.size for block in features.blocks}


def test_full_is_scored_and_nothing_is_trained_again_for_other_blocks(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    configure(workspace, tiny=TINY, untrained=UNTRAINED)
    counts = workspace.ran()
    assert (counts["models"], counts["connectomes"]) == (2, 2)
    sizes = {"networks": NETWORKS * 16, "coupling": REGIONS * (REGIONS + 1) // 2}
    sizes |= {"coupling_gsr": sizes["coupling"], "distilled": 64}
    sizes |= {"amplitude": REGIONS, "spectrum": 4 * REGIONS}
    ours = blocks_of(workspace, "tiny")
    assert ours == sizes and list(ours) == list(sizes)
    assert blocks_of(workspace, "untrained") == {k: n for k, n in sizes.items() if k != "distilled"}
    scores = workspace.folder / "results/scores/toy/group"
    names = {path.stem for path in scores.glob("*.parquet")}
    rows = {name for name in names if not name.endswith("_predictions")}
    assert {"tiny", "tiny-full", "untrained-full"} <= rows
    assert read_table(scores / "tiny-full.parquet")["auroc"].notna().any()

    fewer = TINY | {"blocks": ["spectrum", "coupling"]}
    configure(workspace, tiny=fewer, untrained=UNTRAINED)
    planned = workspace.planned()
    assert planned["embed"] == 1 and {"pretrain", "connectome"}.isdisjoint(planned)
    configure(workspace, tiny=TINY | {"recentre": "site"}, untrained=UNTRAINED)
    assert workspace.planned(FULL.format("tiny")) == {"embed": 1}
    configure(workspace, tiny=TINY | {"connectome": {"components": 9}}, untrained=UNTRAINED)
    assert workspace.planned(FULL.format("tiny")) == {"embed": 1, "connectome": 1}

    shutil.copytree(workspace.folder / "results/models/tiny", workspace.folder / "mine")
    given = {"checkpoint": "mine", "readouts": ["full"], "cpu_threads": TINY["cpu_threads"]}
    configure(workspace, tiny=TINY, untrained=UNTRAINED, given=given)
    workspace.run(FULL.format("given"))
    expected = (workspace.folder / FULL.format("tiny")).read_bytes()
    assert (workspace.folder / FULL.format("given")).read_bytes() == expected
    (workspace.folder / "mine/connectome.safetensors").unlink()
    done = workspace.run("--dry-run", check=False)
    assert "models.given.readouts has full, but mine is a model without" in done.stderr
