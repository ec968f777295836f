"""A row of the paper becomes a configuration, of which every key can be overruled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from semantoks.config import Config, Dataset, catalogue
from semantoks.config.rows import expand_row, merged
from semantoks.errors import UserError


def row(name: str = "ukb_sex", **keys: Any) -> Config:
    return Config.model_validate(expand_row({"row": name, "path": "/data", **keys}))


@pytest.mark.parametrize("name", catalogue.row_names())
def test_every_row_is_a_whole_configuration(name: str) -> None:
    config = row(name)
    assert config.atlas == "semantoks457"
    ((key, dataset),) = config.datasets.items()
    assert key == dataset.preset
    assert dataset.path == "/data"
    ((phenotype,),) = [list(dataset.phenotypes.values())]
    assert phenotype.title == catalogue.read(name)["title"]
    assert config.models["semantoks"].checkpoint is not None
    assert set(config.baselines) >= {"fc", "fc_gsr", "tangent", "partial", "confounds"}
    assert config.probe.repeats == 10


@pytest.mark.parametrize("name", catalogue.preset_names())
def test_a_preset_has_no_paths_and_gives_a_data_set(name: str) -> None:
    assert "path" not in catalogue.read_preset(name)
    dataset = Dataset.model_validate({"preset": name, "path": "/data"})
    assert dataset.source == catalogue.read_preset(name)["source"]


def test_keys_of_the_data_set_stand_beside_the_row(tmp_path: Path) -> None:
    dataset = row(path=str(tmp_path), shards=7).datasets["ukb"]
    assert (dataset.path, dataset.shards, dataset.repetition_time) == (str(tmp_path), 7, 0.735)


def test_a_table_is_relative_to_the_working_folder() -> None:
    assert row(table="x.csv").datasets["ukb"].participants == str(Path.cwd() / "x.csv")
    expanded = expand_row({"row": "ukb_sex", "path": "x", "table": ["a.csv", "/b.csv"]})
    assert expanded["datasets"]["ukb"]["participants"] == [str(Path.cwd() / "a.csv"), "/b.csv"]


def test_a_configuration_overrules_the_row_key_by_key() -> None:
    config = row(
        probe={"repeats": 3},
        datasets={"ukb": {"repetition_time": 0.8}, "other": {"path": "/other"}},
    )
    assert config.probe.repeats == 3
    assert config.datasets["ukb"].repetition_time == 0.8
    assert config.datasets["ukb"].path == "/data"
    assert list(config.datasets) == ["ukb", "other"]


def test_without_a_row_nothing_changes() -> None:
    content = {"atlas": "seitzman300", "path": "x"}
    assert expand_row(content) == content


def test_an_unknown_row_and_a_row_without_data_are_refused() -> None:
    with pytest.raises(UserError, match=r"row is 'ukb_sxe'; did you mean 'ukb_sex'\?$"):
        expand_row({"row": "ukb_sxe", "path": "x"})
    with pytest.raises(UserError, match="row ukb_sex needs the folder of the data"):
        expand_row({"row": "ukb_sex"})


def test_a_misspelt_key_beside_the_row_is_refused() -> None:
    with pytest.raises(UserError, match="unknown key 'tabel' beside `row`; did you mean 'table'"):
        row(tabel="x.csv")
    with pytest.raises(UserError, match=r"phenotypes: {sex: {bins: …}} beside `row`"):
        row(bins=5)


def test_keys_on_files_of_a_preset_do_not_apply_to_another_source() -> None:
    given = Dataset.model_validate({"preset": "ukb", "path": "x", "source": "timeseries"})
    assert given.template is None
    derivatives = {"path": "x", "source": "fmriprep"}
    assert Dataset.model_validate({"preset": "hbn", **derivatives}).folders == []
    srpbs = Dataset.model_validate({"preset": "srpbs", **derivatives})
    assert (srpbs.template, srpbs.t1w_template) == (None, None)
    assert given.repetition_time == 0.735


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ValidationError, match="preset is 'ukbb'; did you mean 'ukb'"):
        Dataset.model_validate({"preset": "ukbb", "path": "x"})


def test_merging_replaces_lists_and_merges_mappings() -> None:
    defaults = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merged(defaults, {"a": {"c": [3]}, "e": 2}) == {
        "a": {"b": 1, "c": [3]},
        "d": 1,
        "e": 2,
    }


def test_a_task_may_have_baselines_of_its_own() -> None:
    """Mean activity is what tells short blocks apart."""
    assert "mean_activity" in row("ukb_hariri").baselines
    assert "mean_activity" not in row("ukb_sex").baselines


def test_phenotypes_beside_the_row_are_merged_with_its_own() -> None:
    phenotypes = row(phenotypes={"sex": {"test_people": 20}, "age": {"task": "ukb_age"}})
    of_row = phenotypes.datasets["ukb"].phenotypes
    assert (of_row["sex"].test_people, of_row["sex"].title) == (20, "Sex")
    assert of_row["age"].bins == 5


def test_another_atlas_needs_another_model() -> None:
    with pytest.raises(UserError, match="row ukb_sex needs the atlas semantoks457, not cc200"):
        row(atlas="cc200")
    with pytest.raises(UserError, match="row ukb_sex needs the atlas semantoks457"):
        row(atlas="cc200", models={"mine": {}})  # beside the published one
    config = row(atlas="cc200", models={"semantoks": {"checkpoint": None}})
    assert config.models["semantoks"].checkpoint is None
