"""Published tasks are tasks like the user's own."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from semantoks.config import Dataset, Phenotype, catalogue


@pytest.mark.parametrize("name", catalogue.names())
def test_a_published_task_is_complete(name: str) -> None:
    task = Phenotype.model_validate(catalogue.read(name))
    assert task.title and task.column and task.data and task.terms
    for score in task.published:
        assert 0 < score.value < 1
        assert score.source


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


def test_the_published_scores_are_those_of_the_paper() -> None:
    scores = {
        p.model: p.value for p in Phenotype.model_validate(catalogue.read("ukb_sex")).published
    }
    assert scores["Brain-Semantoks"] == 0.8752
    assert len(catalogue.names()) == 17
