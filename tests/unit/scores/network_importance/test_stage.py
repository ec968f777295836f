"""The files of the importance of networks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from semantoks.artifacts.files import write_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Phenotype, Probe
from semantoks.errors import UserError
from semantoks.scores.network_importance.settings import NetworkImportanceSettings
from semantoks.scores.network_importance.stage import network_importance
from tests.conftest import run_probe, run_represent, run_split, write_cohort

EXACT = Probe(repeats=4, permutations=0, inner_folds=2, learning_curve=[])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """A cohort whose groups differ in the coherence of network A."""
    folder = tmp_path_factory.mktemp("importance")
    paths, participants = write_cohort(folder, manifest)
    splits, task = folder / "splits", Phenotype(kind="classification")
    run_split(participants, folder / "scans.parquet", splits, name="group", phenotype=task)
    for name in ("fc", "tangent", "confounds"):
        run_represent(name, paths, participants, folder / f"{name}.parquet")
    return folder


@pytest.mark.parametrize("name", ["fc", "tangent"])
def test_groups_that_differ_in_a_network(folder: Path, tmp_path: Path, name: str) -> None:
    """The tangent space is fitted in each split, and has the diagonal."""
    out = tmp_path / f"{name}.tsv"
    files = network_importance(
        NetworkImportanceSettings(content=name, probe=EXACT),  # type: ignore[arg-type]
        features=folder / f"{name}.parquet",
        splits=folder / "splits",
        networks=folder / "shard-0.parquet",
        representation=name,
        out=out,
    )
    assert [path.name for path in files] == [f"{name}.tsv", f"{name}_splits.parquet"]
    table = pd.read_csv(out, sep="\t", keep_default_na=False)
    networks, pairs = table[table["other"] == ""], table[table["other"] != ""]
    assert networks["network"].iloc[0] == "A" and len(networks) == 3
    assert pairs.iloc[0][["network", "other"]].tolist() == ["A", "A"] and len(pairs) == 6
    assert table["score"].iloc[0] > 0.9 and networks["shuffled_loss"].iloc[0] > 0.2
    assert read_metadata(files[1])["metric"] == "auroc" and len(read_table(files[1])) == 4 * 9


def test_confounds_are_regressed_out_as_for_the_scores(folder: Path, tmp_path: Path) -> None:
    residualised = EXACT.model_copy(update={"confounds": "residualise"})
    inputs = {name: folder / f"{name}.parquet" for name in ("fc", "confounds")}

    def losses(probe: Probe, confounds: list[Path]) -> pd.DataFrame:
        files = network_importance(
            NetworkImportanceSettings(probe=probe),
            features=inputs["fc"],
            splits=folder / "splits",
            networks=folder / "shard-0.parquet",
            representation="fc",
            out=tmp_path / "out.tsv",
            confounds=confounds,
        )
        return read_table(files[1])

    plain, residual = losses(EXACT, []), losses(residualised, [inputs["confounds"]])
    assert plain["columns"].equals(residual["columns"])
    assert not plain["left_out"].equals(residual["left_out"])
    with pytest.raises(UserError, match="is residualise, but there is no file of confounds"):
        losses(residualised, [])


def test_features_are_harmonised_as_for_the_scores(folder: Path, tmp_path: Path) -> None:
    """Of a phenotype that is not predicted, so that small changes show."""
    splits, participants = tmp_path / "splits", folder / "participants.parquet"
    task = Phenotype(kind="regression")
    scans = folder / "scans.parquet"
    run_split(participants, scans, splits, name="trait", phenotype=task, site_column="town")
    for harmonize in ("none", "combat"):
        settings = Probe.model_validate(EXACT.model_dump() | {"harmonize": harmonize})
        run_probe([folder / "tangent.parquet"], splits, "tangent", settings, tmp_path / "scores")
        files = network_importance(
            NetworkImportanceSettings(content="tangent", probe=settings, site_column="town"),
            features=folder / "tangent.parquet",
            splits=splits,
            networks=folder / "shard-0.parquet",
            representation="tangent",
            out=tmp_path / "out.tsv",
        )
        losses = read_table(files[1]).groupby("split", sort=False)["score"].first()
        scores = read_table(tmp_path / "scores").set_index("split")["pearson_r"]
        pd.testing.assert_series_equal(losses, scores, check_names=False)


def test_networks_of_another_model_are_refused(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    write_json(config, {"networks": ["A"] * 5 + ["B"] * 6, "network_order": ["B", "A"]})
    with pytest.raises(UserError, match=r"The 66 features of fc .* 11 regions in 2 networks"):
        network_importance(
            NetworkImportanceSettings(probe=EXACT),
            features=folder / "fc.parquet",
            splits=folder / "splits",
            networks=folder / "shard-0.parquet",
            representation="fc",
            out=tmp_path / "out.tsv",
            config=config,
        )
