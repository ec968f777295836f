"""Published tasks are tasks like the user's own; presets are keys like the user's own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from semantoks.config import Dataset, Phenotype, catalogue
from tests.unit.config.rows_pages import PAGES, columns, comments, updated

# Keys of tasks that may be newer than the model of phenotypes.
NEW_KEYS = {"stratified", "cut", "edges"}
UNKNOWN = {key for name in catalogue.preset_names() for key in catalogue.read_preset(name)} - set(
    Dataset.model_fields
)
ROWS = {
    *("ukb_sex", "ukb_age", "ukb_hariri", "hbn_sex", "hbn_age", "hbn_celf", "hbn_wisc"),
    *("srpbs_depression", "srpbs_schizophrenia", "abide_autism"),
}
MORE_ROWS = {
    *("abide2_autism", "adhd200_adhd", "hcp_ya_sex", "lemon_cvlt", "lemon_mdbf", "lemon_tmt"),
}


@pytest.mark.parametrize("name", catalogue.names())
def test_a_published_task_is_complete(name: str) -> None:
    keys = set(Phenotype.model_fields)
    content = {k: v for k, v in catalogue.read(name).items() if k in keys or k not in NEW_KEYS}
    for column in columns(content):
        Phenotype.model_validate({**content, "column": column})
    task = Phenotype.model_validate({**content, "column": columns(content)[0]})
    assert task.title and task.data and task.terms
    assert task.sources["column"]
    assert not task.values or task.sources["values"]
    assert task.bins is None or (task.sources["bins"] and task.sources["cut"])
    for claim, source in task.sources.items():
        assert claim and source.strip(), claim
    assert catalogue.entry(name)["preset"] in catalogue.preset_names()


@pytest.mark.parametrize("name", catalogue.names())
def test_a_published_score_has_a_model_and_a_source(name: str) -> None:
    for score in catalogue.read(name).get("published", []):
        assert 0 < score["value"] < 1
        assert score["source"]
        # The best of several models is none: nobody can tell what to compare with.
        assert not re.search(r"\b(best|paper)\b", score["model"])


def test_the_rows_are_those_of_the_paper() -> None:
    assert set(catalogue.row_names()) == ROWS | MORE_ROWS
    assert {name for name in ROWS if not catalogue.read(name)["published"]} == set()
    assert len(catalogue.names()) == 23


def test_the_published_scores_are_those_of_the_paper() -> None:
    scores = {score["model"]: score["value"] for score in catalogue.read("ukb_sex")["published"]}
    assert scores == {"BrainLM": 0.8671, "Brain-JEPA": 0.8323, "Brain-Semantoks": 0.8752}
    blocks = [
        (score["model"], score["value"]) for score in catalogue.read("ukb_hariri")["published"]
    ]
    assert blocks == [
        *(("Brain-JEPA", 0.8106), ("Brain-JEPA", 0.8229)),
        *(("Brain-Semantoks", 0.9384), ("Brain-Semantoks", 0.965)),
    ]


def test_faces_and_shapes_have_their_timing_files() -> None:
    files = catalogue.entry("ukb_hariri")["dataset"]["events"]["files"]
    assert {name: file.rpartition("/")[2] for name, file in files.items()} == {
        "shapes": "ev1.txt",
        "faces": "ev2.txt",
    }


@pytest.mark.parametrize("name", catalogue.preset_names())
def test_a_preset_has_no_path_and_says_why_and_where_from(name: str) -> None:
    keys = catalogue.read_preset(name)
    assert "path" not in keys and "phenotypes" not in keys
    texts = [text for value in keys.values() for text in ([value], value)[isinstance(value, list)]]
    assert not [text for text in texts if str(text).startswith(("/", "~"))]
    assert [key.strip("`") for key, _ in comments(name)] == list(keys)
    for key, comment in comments(name):
        assert re.search(r"Source: |Not verified: |the same code", comment), key


@pytest.mark.skipif(bool(UNKNOWN), reason=f"data sets have no keys {sorted(UNKNOWN)} yet")
@pytest.mark.parametrize("name", catalogue.preset_names())
def test_a_preset_is_keys_of_a_data_set(name: str) -> None:
    Dataset.model_validate({"path": "x", **catalogue.read_preset(name)})


def test_the_repetition_times_of_abide_are_of_all_its_sites() -> None:
    times = catalogue.read_preset("abide")["repetition_time"]["SITE_ID"]
    assert len(times) == 20
    assert {times[site] for site in ("OLIN", "PITT")} == {1.5}
    assert (times["SBL"], times["KKI"], times["UCLA_2"]) == (2.2, 2.5, 3.0)


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_says_what_the_catalogue_says(page: Any) -> None:
    """`python -m tests.unit.config.rows_pages` writes it anew."""
    assert page.read_text(encoding="utf-8") == updated(page)


def test_every_row_has_a_page_with_its_command() -> None:
    for name in catalogue.row_names():
        assert f"row={name}" in (PAGES / f"{name}.md").read_text(encoding="utf-8")


def phenotypes(**values: Any) -> dict[str, Phenotype]:
    return Dataset.model_validate({"path": "x", "phenotypes": values}).phenotypes


def test_a_task_by_word_by_name_and_changed() -> None:
    found = phenotypes(
        age="regression",
        autism="abide_autism",
        dx={"task": "abide_autism", "column": "diagnosis", "values": {"ASD": "a", "TC": "b"}},
    )
    assert found["age"] == Phenotype(kind="regression")
    assert (found["autism"].column, found["autism"].values) == (
        "DX_GROUP",
        {"1": "autism", "2": "control"},
    )
    assert found["dx"].column == "diagnosis"
    assert found["dx"].published == found["autism"].published
    with pytest.raises(ValidationError, match="did you mean 'abide_autism'"):
        phenotypes(dx="abide_autsim")
    with pytest.raises(ValidationError, match="did you mean 'regression'"):
        phenotypes(dx="regresion")
