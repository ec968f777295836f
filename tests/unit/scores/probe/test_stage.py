from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from semantoks.artifacts.representations import (
    FeatureBlock,
    read_features,
    read_participant_features,
    write_representation,
)
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.config import Phenotype, Probe
from semantoks.errors import UserError
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.probe.stage import probe
from semantoks.scores.split.parts import VALIDATION
from tests.conftest import run_probe, run_represent, run_split
from tests.unit.scores.conftest import mean_score


def test_scores_of_every_split_are_written(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    folder = paths[0].parent
    for name in ("fc", "chance", "tangent"):
        run_represent(name, paths, participants, folder / f"{name}.parquet")
    splits = folder / "s.parquet"
    task = Phenotype(kind="classification")
    scans = folder / "scans.parquet"
    run_split(participants, scans, splits, name="group", phenotype=task, site_column="town")
    settings = Probe(repeats=4, permutations=99, learning_curve=[])
    for name in ("fc", "chance", "tangent"):
        run_probe([folder / f"{name}.parquet"], splits, name, settings, folder / name)
    files = [folder / "fc.parquet", folder / "tangent.parquet"]
    run_probe(files, splits, "fc+tangent", settings, folder / "both")
    tables = {name: read_table(folder / name) for name in ("fc", "chance", "tangent", "both")}
    for name in ("fc", "tangent", "both"):
        assert mean_score(tables[name], "balanced_accuracy") > 0.9
    assert tables["chance"]["balanced_accuracy"].tolist() == [0.5] * 6
    assert tables["fc"]["scheme"].tolist() == ["random"] * 4 + ["site"] * 2
    assert read_metadata(folder / "fc")["p_permutation"] < 0.05
    assert read_metadata(folder / "chance")["p_permutation"] is None
    predictions = read_table(folder / "fc_predictions.parquet")
    assert len(predictions) == tables["fc"]["test_people"].sum()
    assert_shuffles_are_written(folder, tables["fc"])
    written = (folder / "fc").read_bytes()
    run_probe([folder / "fc.parquet"], splits, "fc", settings, folder / "fc")
    assert (folder / "fc").read_bytes() == written


def test_representations_are_combined_by_the_settings(cohort: tuple[list[Path], Path]) -> None:
    """Files of one block each are scored as one file of two blocks."""
    paths, participants = cohort
    folder, splits = paths[0].parent, paths[0].parent / "s.parquet"
    for name in ("fc", "fc_gsr"):
        run_represent(name, paths, participants, folder / f"{name}.parquet")
    task = Phenotype(kind="classification")
    run_split(participants, folder / "scans.parquet", splits, name="group", phenotype=task)
    files = [folder / "fc.parquet", folder / "fc_gsr.parquet"]
    rows = np.hstack([read_features(file, range(len(read_table(file)))) for file in files])
    size = rows.shape[1] // 2
    blocks = [FeatureBlock("fc", size), FeatureBlock("fc_gsr", size)]
    write_representation(folder / "both.parquet", read_table(files[0]), rows, blocks=blocks)
    probe_settings = Probe(repeats=2, permutations=0, learning_curve=[])
    for name, used, combined in (("a", files, True), ("b", [folder / "both.parquet"], False)):
        settings = ProbeSettings(probe=probe_settings, combined=combined)
        probe(settings, features=used, splits=[splits], representation="x", out=folder / name)
    assert read_table(folder / "a").equals(read_table(folder / "b"))
    assert read_metadata(folder / "a") == read_metadata(folder / "b")


def assert_shuffles_are_written(folder: Path, scores: pd.DataFrame) -> None:
    """Of each random split 100 lists, from which the p-value and the intervals follow."""
    assert scores["inner_loss"].between(0, 1).all()
    shuffles, metadata = read_table(folder / "fc_shuffles.parquet"), read_metadata(folder / "fc")
    assert (
        shuffles["split"].to_list() == scores.loc[scores["scheme"] == "random", "split"].to_list()
    )
    loss, score, primary = (np.stack(shuffles[key]) for key in ("loss", "score", "primary"))
    assert loss.shape == (4, 100) and loss.dtype == np.float32
    assert (1 + (score.mean(0)[1:] >= score.mean(0)[0]).sum()) / 100 == metadata["p_permutation"]
    np.testing.assert_allclose(primary.mean(0)[1:], metadata["shuffled"], rtol=1e-6)
    assert (
        read_table(folder / "chance_shuffles.parquet").columns.to_list()
        == shuffles.columns.to_list()
    )
    assert read_table(folder / "chance_shuffles.parquet").empty


def test_metadata_describe_task_and_representation(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    folder = paths[0].parent
    run_represent("fc", paths, participants, folder / "fc.parquet")
    splits, task = folder / "s.parquet", Phenotype(kind="classification")
    run_split(participants, folder / "scans.parquet", splits, name="group", phenotype=task)
    settings = Probe(repeats=2, permutations=0, learning_curve=[])
    run_probe([folder / "fc.parquet"], splits, "fc", settings, folder / "x")
    metadata = read_metadata(folder / "x")
    assert metadata.pop("left_out") == read_metadata(splits)["left_out"]
    assert list(metadata.items()) == [
        ("phenotype", "group"),
        ("kind", "classification"),
        ("bins", None),
        ("cut", "training"),
        ("edges", None),
        ("determined_by", []),
        ("representation", "fc"),
        ("people", 23),
        ("persons", None),
        ("permuted", "participants"),
        ("features", 66),
        ("classes", {"control": 12, "patient": 11}),
        ("p_permutation", None),
        ("shuffled", None),
        ("protocol", "exact"),
        ("confounds", "none"),
        ("people_without_features", 0),
    ]


def test_participants_without_features_are_counted_beside_the_score(
    cohort: tuple[list[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    paths, participants = cohort
    folder, splits = paths[0].parent, paths[0].parent / "s.parquet"
    run_represent("fc", paths, participants, folder / "fc.parquet")
    task = Phenotype(kind="classification")
    run_split(participants, folder / "scans.parquet", splits, name="group", phenotype=task)
    everybody = read_participant_features(folder / "fc.parquet")
    scans = pd.DataFrame(dict.fromkeys(SCAN_ENTITIES, everybody.participant_id))
    settings = Probe(repeats=2, permutations=0, learning_curve=[])
    for lacking in (2, 3):
        features = everybody.features_PF.copy()
        features[:lacking] = np.nan
        write_representation(folder / "model.parquet", scans, features)
        if lacking == 3:  # of 23
            break
        files = [folder / "model.parquet", folder / "fc.parquet"]
        for name, used in (("model", files[:1]), ("model+fc", files), ("fc", files[1:])):
            run_probe(used, splits, name, settings, folder / name)
            expected = 0 if name == "fc" else 2
            assert read_metadata(folder / name)["people_without_features"] == expected
            # All are scored on the same participants.
            predictions = read_table(folder / f"{name}_predictions.parquet")
            assert len(predictions) == read_table(folder / name)["test_people"].sum() == 20
    assert "2 of 23 participants have no features in model. They are predicted" in caplog.text
    with pytest.raises(UserError, match=r"3 of 23 participants have no features in model.*10%"):
        run_probe([folder / "model.parquet"], splits, "model", settings, folder / "x")


def test_more_repeats_do_not_change_the_scores_of_the_first(
    cohort: tuple[list[Path], Path],
) -> None:
    paths, participants = cohort
    folder = paths[0].parent
    run_represent("fc", paths, participants, folder / "fc.parquet")
    splits, task = folder / "s.parquet", Phenotype(kind="regression")
    run_split(participants, folder / "scans.parquet", splits, name="trait", phenotype=task)
    scores = []
    for repeats in (2, 3):
        settings = Probe(repeats=repeats, permutations=0, learning_curve=[])
        run_probe([folder / "fc.parquet"], splits, "fc", settings, folder / "x")
        scores.append(read_table(folder / "x")["mae"].tolist())
    assert scores[0] == scores[1][:2]


@pytest.mark.slow
def test_both_protocols_score_the_same_splits(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    folder, splits = paths[0].parent, paths[0].parent / "s.parquet"
    run_represent("fc", paths, participants, folder / "fc.parquet")
    task = Phenotype(kind="classification")
    run_split(participants, folder / "scans.parquet", splits, name="group", phenotype=task)
    both = Probe(protocol="both", repeats=3, permutations=0, learning_curve=[], inner_folds=2)
    tables, predictions, metadata = {}, {}, {}
    for row in ("fc", "fc@paper"):
        out = folder / f"scores-{row}.parquet"
        run_probe([folder / "fc.parquet"], splits, row, both.of_row(row), out)
        tables[row], metadata[row] = read_table(out), read_metadata(out)
        predictions[row] = read_table(out.with_name(f"{out.stem}_predictions.parquet"))
    parts = ["split", "scheme", "fraction", "train_people", "test_people"]
    pd.testing.assert_frame_equal(tables["fc"][parts], tables["fc@paper"][parts])
    tested = ["split", "participant_id", "target"]
    pd.testing.assert_frame_equal(predictions["fc"][tested], predictions["fc@paper"][tested])
    assert (metadata["fc"]["protocol"], metadata["fc@paper"]["protocol"]) == ("exact", "paper")
    assert metadata["fc@paper"]["p_permutation"] is None
    assert read_table(folder / "scores-fc@paper_shuffles.parquet").empty
    assert tables["fc@paper"]["inner_loss"].isna().all()
    validation = (read_table(splits)["random 00"] == VALIDATION).sum()
    assert tables["fc"]["validation_people"].tolist() == [0] * 3
    assert tables["fc@paper"]["validation_people"].tolist() == [validation] * 3


def test_a_row_is_scored_by_one_protocol() -> None:
    with pytest.raises(ValidationError, match="give `exact` or `paper`"):
        ProbeSettings(probe=Probe(protocol="both"))


def test_phenotypes_are_scored_together_as_each_alone(cohort: tuple[list[Path], Path]) -> None:
    """Also by confounds, from which each phenotype leaves itself out, and by the paper's head."""
    paths, participants = cohort
    folder = paths[0].parent
    run_represent("confounds", paths, participants, folder / "confounds.parquet")
    run_represent("fc", paths, participants, folder / "fc.parquet")
    tasks = {"group": Phenotype(kind="classification"), "age": Phenotype(kind="regression")}
    parts = [folder / f"split_{name}" for name in tasks]
    for part, (name, task) in zip(parts, tasks.items(), strict=True):
        run_split(participants, folder / "scans.parquet", part, name=name, phenotype=task)
    settings = ProbeSettings(probe=Probe(repeats=2, permutations=9, learning_curve=[]))
    for name in ("confounds", "fc"):
        files = [folder / f"{name}.parquet"]
        together = probe(
            settings, features=files, splits=parts, representation=name, out=folder / "scores"
        )
        assert len(together) == 6
        for part, phenotype in zip(parts, tasks, strict=True):
            out, ours = folder / "alone", folder / "scores" / phenotype / f"{name}.parquet"
            probe(settings, features=files, splits=[part], representation=name, out=out)
            assert read_table(ours).equals(read_table(out))
            assert read_metadata(ours) == read_metadata(out)
    features = [
        read_metadata(folder / f"scores/{name}/confounds.parquet")["features"] for name in tasks
    ]
    assert features[0] == features[1] + 1


def test_confounds_that_are_to_be_regressed_out_are_needed(
    cohort: tuple[list[Path], Path],
) -> None:
    """With them, confounds are scored as they are; without them, raw scores would be written."""
    paths, participants = cohort
    folder, splits = paths[0].parent, paths[0].parent / "s.parquet"
    run_represent("confounds", paths, participants, folder / "confounds.parquet")
    run_represent("fc", paths, participants, folder / "fc.parquet")
    run_represent("chance", paths, participants, folder / "chance.parquet")
    task = Phenotype(kind="classification")
    run_split(participants, folder / "scans.parquet", splits, name="group", phenotype=task)
    tables = {}
    for confounds in ("none", "residualise"):
        quick = Probe(repeats=2, permutations=0, learning_curve=[], confounds=confounds)  # type: ignore[arg-type]
        given = [] if confounds == "none" else [folder / "confounds.parquet"]
        for name in ("fc", "confounds", "chance"):
            out = folder / f"{name}-{confounds}"
            probe(
                ProbeSettings(probe=quick),
                features=[folder / f"{name}.parquet"],
                splits=[splits],
                representation=name,
                out=out,
                confounds=given,
            )
            tables[name, confounds] = read_table(out)
    for name in ("confounds", "chance"):
        assert tables[name, "none"].equals(tables[name, "residualise"])
    assert not tables["fc", "none"].equals(tables["fc", "residualise"])
    with pytest.raises(UserError, match="is residualise, but there is no file of confounds"):
        run_probe([folder / "fc.parquet"], splits, "fc", quick, folder / "x")
