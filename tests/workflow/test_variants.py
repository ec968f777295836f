"""Variants beside the main analysis: what they share, and what the report says of them."""

from __future__ import annotations

import pytest

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_table
from tests.workspaces import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.journeys]

FOLDS = {"probe": {"inner_folds": 3}}


def test_variants_share_what_does_not_differ(workspace: Workspace) -> None:
    scans = read_table(workspace.folder / "results/scans/small.parquet")
    motion = scans.loc[scans["status"] == "ok"].groupby("participant_id")["mean_fd"].min()
    strict = {"parcellation": {"max_mean_fd": float(motion.sort_values().iloc[-2:].mean())}}
    main = workspace.results()
    workspace.configure(variants={"folds": FOLDS, "strict": strict})
    counts = workspace.ran()
    # The baselines and the model of a variant with other time series, but no images again.
    assert {"index", "preprocessed", "atlases", "cards"}.isdisjoint(counts)
    assert counts == {
        **{"timeseries": 2, "scans": 1, "models": 1, "representations": 4, "splits": 2},
        **{"scores": 16, "benchmarks": 4, "variants": 2, "report": 1},
    }
    results = workspace.results()
    assert {name: results[name] for name in main} == main
    assert workspace.planned() == {}
    _check_contents(workspace)
    # Another value reruns this variant only.
    workspace.configure(variants={"folds": {"probe": {"inner_folds": 4}}, "strict": strict})
    expected = {"probe": 8, "benchmark": 2, "vary": 2}
    assert workspace.planned("variants") == expected | {"variants": 1}
    workspace.configure()
    assert workspace.planned() == {"report": 1}


def _check_contents(workspace: Workspace) -> None:
    """One participant moves too much for the strict variant, and is taken out of all splits."""
    varied = read_json(workspace.folder / "results/variants/small/group.json")
    folds, strict = varied["variants"]
    assert (folds["name"], folds["tested"]) == ("folds", "same")
    assert (strict["name"], strict["tested"]) == ("strict", "common")
    assert strict["comparison"]["people"] == varied["main"]["people"] - 1
    assert {row["representation"] for row in strict["differences"]} == {"tiny", "fc", "confounds"}
    splits = [
        read_table(workspace.folder / f"results/splits/{name}/group.parquet")
        for name in ("small", "small~strict")
    ]
    main, ours = (table.set_index("participant_id") for table in splits)
    assert len(ours) == len(main) - 1 and ours.equals(main.loc[ours.index])
    assert not (workspace.folder / "results/splits/small~folds").exists()
    page = (workspace.folder / "results/report/index.html").read_text()
    people = varied["main"]["people"]
    assert f"folds: {people} participants, the same test participants in the same" in page
    assert "fewer than in the main analysis, whose predictions are compared for the common" in page


def test_a_variant_that_changes_no_score_is_refused(workspace: Workspace) -> None:
    workspace.configure(variants={"a": {"models": {"tiny": {"processes": 2}}}})
    done = workspace.run("--dry-run", check=False)
    assert done.returncode == 1
    assert "mine.yaml: variants.a changes no score of any phenotype." in done.stderr
