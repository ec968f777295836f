"""What runs again after which change; nothing else may."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest

from semantoks.artifacts.files import read_json
from semantoks.artifacts.representations import read_participant_features
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.commands.status import status
from semantoks.commands.why import why
from semantoks.data.index.shards import shard_of
from tests.workspaces import SMALL, Workspace

pytestmark = pytest.mark.slow

SCORES = {"probe": 8, "benchmark": 2, "report": 1}  # two phenotypes × four representations


def test_a_lost_artifact_is_made_again(workspace: Workspace) -> None:
    (workspace.folder / "results/representations/fc/small.parquet").unlink()
    assert workspace.planned()["represent"] == 1


def test_phenotypes_that_share_their_splits_are_scored_together(workspace: Workspace) -> None:
    phenotypes = {"age": "regression", "trait": "regression"}
    small = SMALL["datasets"]["small"] | {"phenotypes": phenotypes}
    workspace.configure(datasets={"small": small}, splits={"shared": True})
    counts = workspace.ran()
    assert (counts["splits"], counts["scores"], counts["benchmarks"]) == (2, 4, 2)
    recorded = workspace.folder.glob("results/scores/small/*/fc.parquet.provenance.json")
    assert {path.parent.name for path in recorded} >= set(phenotypes)
    assert workspace.planned() == {}


def test_a_second_run_does_nothing(workspace: Workspace) -> None:
    assert workspace.planned() == {}
    assert workspace.ran() == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"probe": {"repeats": 3, "inner_folds": 2}}, SCORES),
        # Of the classification the model, fc and confounds; its exact scores stay as they are.
        (
            {"probe": SMALL["probe"] | {"protocol": "both"}},
            {"probe": 3, "benchmark": 1, "report": 1},
        ),
        ({"splits": {"seed": 1}}, {"split": 2} | SCORES),
        # A job per representation instead of one per representation and phenotype.
        (
            {"splits": {"shared": True}},
            {"split": 2, "probe_small": 4, "benchmark": 2, "report": 1},
        ),
        # The paper's head cannot score numbers, so its rows have jobs of their own.
        (
            {"splits": {"shared": True}, "probe": SMALL["probe"] | {"protocol": "both"}},
            {"split": 2, "probe_small": 4, "probe": 3, "benchmark": 2, "report": 1},
        ),
        ({"report": {"participants": False}}, {"scan_page": 2, "report": 1}),
        (
            {"parcellation": SMALL["parcellation"] | {"low_pass": 0.08}},
            {"parcellate": 2, "scans": 1, "pretrain": 1, "embed": 1, "represent": 3}
            | {"split": 2, "card": 2, "scan_page": 2}
            | SCORES,
        ),
        (
            {"models": SMALL["models"] | {"other": SMALL["models"]["tiny"]}},
            {"pretrain": 1, "embed": 1, "probe": 2, "card": 1, "benchmark": 2, "report": 1},
        ),
        ({"combined": {"mine": ["tiny", "fc"]}}, {"probe": 2, "benchmark": 2, "report": 1}),
        # Of both phenotypes fc, the only representation there whose features belong to networks.
        # The model again on half of the people; the whole one is not trained again.
        (
            {"models": {"tiny": SMALL["models"]["tiny"] | {"scaling": [0.5, 1]}}},
            {"pretrain": 1, "embed": 1, "probe": 2, "scaling_curve": 2, "report": 1},
        ),
        ({"importance": True}, {"network_importance": 2, "brain_maps": 1, "report": 1}),
        ({"finetune": {"models": ["tiny"]}}, {"finetune": 2, "benchmark": 2, "report": 1}),
        # Without a model to fine-tune, its keys change nothing but the settings that are shown.
        ({"finetune": {"epochs": 3}}, {"report": 1}),
        (
            {"baselines": ["fc", "tangent_rbf", "confounds"]},
            {"represent": 1, "probe": 2, "card": 1, "benchmark": 2, "report": 1},
        ),
        # A variant runs from the first stage that differs, and what does not differ is shared.
        (
            {"variants": {"narrow": {"parcellation": {"low_pass": 0.08}}}},
            {"parcellate": 2, "scans": 1, "pretrain": 1, "embed": 1, "represent": 3, "split": 2}
            | {"vary": 2}
            | SCORES,
        ),
        (
            {"variants": {"seed": {"models": {"tiny": {"training": {"seed": 1}}}}}},
            {"pretrain": 1, "embed": 1, "probe": 2, "benchmark": 2, "vary": 2, "report": 1},
        ),
        ({"variants": {"folds": {"probe": {"inner_folds": 3}}}}, {"vary": 2} | SCORES),
        (
            {"variants": {"coarse": {"preprocessing": {"voxel_size": 10}}}},
            {"preprocess": 2, "parcellate": 2, "scans": 1, "pretrain": 1, "embed": 1}
            | {"represent": 3, "split": 2, "vary": 2}
            | SCORES,
        ),
    ],
)
def test_a_changed_setting_reruns_what_hangs_on_it(
    workspace: Workspace, changes: dict[str, object], expected: dict[str, int]
) -> None:
    workspace.configure(**changes)
    assert workspace.planned() == expected


def test_a_representation_of_your_own_runs_what_hangs_on_it(workspace: Workspace) -> None:
    people = sorted((workspace.folder / "data/small/bids").glob("sub-*"))
    rows = [f"{path.name}\t{number % 3}" for number, path in enumerate(people)]
    file = workspace.folder / "mine.tsv"
    file.write_text("\n".join(["participant_id\tx", *rows]))
    workspace.configure(representations={"mine": {"path": "mine.tsv"}})
    added = {"get_representation": 1, "probe": 2, "card": 1, "benchmark": 2, "report": 1}
    assert workspace.planned() == added
    workspace.run()
    assert workspace.planned() == {}
    file.write_text(file.read_text().replace("\t1", "\t5"))
    os.utime(file, (time.time() + 5, time.time() + 5))
    assert workspace.planned() == added
    workspace.configure()
    assert workspace.planned() == {"benchmark": 2, "report": 1}


def test_a_variant_reads_the_representation_that_it_names(workspace: Workspace) -> None:
    people = sorted((workspace.folder / "data/small/bids").glob("sub-*"))
    for name, value in (("small", 1), ("other", 2)):
        rows = [f"{path.name}\t{value}" for path in people]
        text = "\n".join(["participant_id\tx", *rows])
        (workspace.folder / f"{name}.tsv").write_text(text)
    other = {"representations": {"mine": {"path": "other.tsv"}}}
    workspace.configure(
        representations={"mine": {"path": "{dataset}.tsv"}}, variants={"other": other}
    )
    folder = workspace.folder / "results/representations/mine"
    for name, value in (("small", 1), ("small~other", 2)):
        workspace.run(f"results/representations/mine/{name}.parquet")
        assert (read_participant_features(folder / f"{name}.parquet").features_PF == value).all()


def test_a_combined_row_is_scored_from_the_files_of_its_members(workspace: Workspace) -> None:
    workspace.configure(combined={"mine": ["tiny", "fc"]})
    assert workspace.ran() == {"scores": 2, "benchmarks": 2, "report": 1}
    scores = workspace.folder / "results/scores/small/group"
    rows = ("mine", "tiny", "fc")
    mine, tiny, fc = (read_metadata(scores / f"{row}.parquet")["features"] for row in rows)
    assert mine == tiny + fc
    page = (workspace.folder / "results/report/index.html").read_text()
    assert "“mine” sums the kernels of tiny and connectivity (Pearson)." in page


def test_a_fine_tuned_model_is_a_row_and_a_model(workspace: Workspace) -> None:
    """And a second one trains nothing again."""
    finetune = {"models": ["tiny"], "splits": 1, "epochs": 1}
    workspace.configure(finetune=finetune)
    assert workspace.ran() == {"scores": 2, "benchmarks": 2, "report": 1}
    folder = workspace.folder / "results/finetuned/small/group/tiny-finetuned"
    assert read_json(folder / "head.json")["classes"] == ["control", "patient"]
    page = (workspace.folder / "results/report/index.html").read_text()
    assert "tiny (fine-tuned)" in page and "(tiny-finetuned 1)" in page
    assert workspace.planned() == {}
    models = SMALL["models"] | {"other": SMALL["models"]["tiny"]}
    workspace.configure(models=models, finetune=finetune | {"models": ["tiny", "other"]})
    assert workspace.planned()["finetune"] == 2
    given = {"tuned": {"checkpoint": str(folder)}}
    workspace.configure(models=SMALL["models"] | given, finetune=finetune)
    assert workspace.ran("results/representations/tuned/small.parquet") == {
        "models": 1,
        "representations": 1,
    }


def test_another_number_of_repeats_runs_only_scores(workspace: Workspace) -> None:
    workspace.configure(probe={"repeats": 3, "inner_folds": 2})
    assert workspace.ran() == {"scores": 8, "benchmarks": 2, "report": 1}
    assert workspace.planned() == {}


def test_holding_people_out_trains_and_scores_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But nothing is preprocessed or parcellated again, though the people are listed again."""
    held = SMALL["datasets"]["small"] | {"hold_out": 10, "phenotypes": {"trait": "regression"}}
    workspace.configure(datasets={"small": held})
    counts = workspace.ran()
    assert {"preprocessed", "timeseries"}.isdisjoint(counts)
    assert (counts["index"], counts["scans"], counts["models"]) == (1, 1, 1)
    assert (counts["splits"], counts["scores"], counts["report"]) == (1, 4, 1)
    results = workspace.folder / "results"
    held_out = (results / "index/small/held_out.tsv").read_text().split()[1:]
    assert len(held_out) == 10
    assert set(read_table(results / "splits/small/trait.parquet")["participant_id"]) <= {*held_out}
    assert read_json(results / "models/tiny/config.json")["training"]["held_out_people"] > 0
    page = (results / "report/index.html").read_text()
    assert "None of them was seen, by id or by recording." in page
    monkeypatch.chdir(workspace.folder)
    lines = list(status(Path("results")))
    assert any(line.endswith("participant(s) held out") for line in lines)
    assert any(line.endswith("(not held out from pretraining)") for line in lines)
    origin = "\n".join(why(Path("results/models/tiny/encoder.safetensors")))
    assert "results/index/small/held_out.tsv" in origin
    assert workspace.planned() == {}


def test_excluding_a_scan_by_hand_reruns_its_shard_from_the_time_series(
    workspace: Workspace,
) -> None:
    """Its images stay preprocessed, so that a second look costs nothing."""
    small = SMALL["datasets"]["small"]
    scans = read_table(workspace.folder / "results/scans/small.parquet")
    scan = scans.loc[scans["status"] == "ok", "scan"].iloc[0]
    bad = workspace.folder / "bad.tsv"
    bad.write_text(f"scan\treason\n{scan}\twrong registration\n")
    workspace.configure(datasets={"small": small | {"exclude": str(bad)}})
    assert workspace.ran("results/scans/small.parquet") == {"index": 1, "timeseries": 1, "scans": 1}
    now = read_table(workspace.folder / "results/scans/small.parquet").set_index("scan")
    assert now["reason"][scan] == "excluded by hand: wrong registration"
    assert (now["status"] == "ok").sum() == (scans["status"] == "ok").sum() - 1
    workspace.configure()
    assert workspace.ran("results/scans/small.parquet") == {"index": 1, "timeseries": 1, "scans": 1}
    pd.testing.assert_frame_equal(
        read_table(workspace.folder / "results/scans/small.parquet"), scans
    )


def test_a_new_person_reruns_one_shard(workspace: Workspace) -> None:
    bids = workspace.folder / "data/small/bids"
    shutil.copytree(bids / "sub-005", bids / "sub-099")
    for path in sorted((bids / "sub-099").rglob("sub-005*")):
        path.rename(path.with_name(path.name.replace("sub-005", "sub-099")))
    row = next(
        line
        for line in (bids / "participants.tsv").read_text().splitlines()
        if line.startswith("sub-005")
    )
    with (bids / "participants.tsv").open("a") as stream:
        stream.write(row.replace("sub-005", "sub-099") + "\n")
    other = f"shard-{1 - shard_of('sub-099', 2):04d}"
    untouched = workspace.folder / f"results/preprocessed/small/{other}/scans.tsv"
    before = untouched.stat().st_mtime_ns
    counts = workspace.ran()
    assert (counts["index"], counts["preprocessed"], counts["timeseries"]) == (1, 1, 1)
    assert untouched.stat().st_mtime_ns == before
    assert workspace.planned() == {}


def test_people_are_noticed_but_not_what_is_in_their_folders(workspace: Workspace) -> None:
    bids = workspace.folder / "data/small/bids"
    (bids / "README").write_text("a note")
    (bids / "sub-005/notes.txt").write_text("a note")
    assert workspace.planned() == {}
    shutil.copytree(bids / "sub-005", bids / "sub-098")  # without a row in the table
    for path in sorted((bids / "sub-098").rglob("sub-005*")):
        path.rename(path.with_name(path.name.replace("sub-005", "sub-098")))
    assert workspace.planned()["index"] == 1
    assert workspace.ran()["index"] == 1
    assert workspace.planned() == {}
    shutil.rmtree(bids / "sub-098")
    assert workspace.planned()["index"] == 1


def test_one_benchmark_by_force_reruns_that_one(workspace: Workspace) -> None:
    target = "results/benchmarks/small/group.json"
    assert workspace.planned(target, "--force") == {"benchmark": 1}
    before = (workspace.folder / target).read_bytes()
    assert workspace.ran(target, "--force") == {"benchmarks": 1}
    assert (workspace.folder / target).read_bytes() == before


def test_a_lost_page_of_scans_is_made_again(workspace: Workspace) -> None:
    page = workspace.folder / "results/report/scans/small/shard-0001.html"
    page.unlink()
    assert workspace.ran() == {"scan_pages": 1, "report": 1}
    assert page.exists()
    assert workspace.planned() == {}


def test_touching_the_code_or_a_comment_reruns_nothing(workspace: Workspace) -> None:
    text = (workspace.folder / "mine.yaml").read_text()
    (workspace.folder / "mine.yaml").write_text("# a comment\n" + text)
    later = time.time() + 5
    os.utime(workspace.folder / "mine.yaml", (later, later))
    assert workspace.planned() == {}


def test_named_targets_plan_their_part(fresh: Workspace) -> None:
    assert fresh.planned("timeseries") == {
        "get_atlas": 1,
        "index": 1,
        "preprocess": 2,
        "parcellate": 2,
        "scans": 1,  # so that excluded scans are listed at the end
        "timeseries": 1,
    }
    pages = fresh.planned("scan_pages")
    assert pages == {
        "get_atlas": 1,
        "index": 1,
        "preprocess": 2,
        "parcellate": 2,
        "scan_page": 2,
        "scan_pages": 1,
    }
    plan = fresh.planned("benchmark_small")
    assert (plan["probe"], plan["benchmark"], plan.get("report")) == (8, 2, None)
