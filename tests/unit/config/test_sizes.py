"""Sizes of a model by a single word."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from semantoks.config.model import Model


def test_keys_that_are_given_count_more_than_the_size() -> None:
    small = Model.model_validate({"size": "small"})
    given = {
        "size": "small",
        "training": {"epochs": 3},
        "architecture": {"tokenizer": {"scales": 2}},
    }
    model = Model.model_validate(given)
    assert (model.training.epochs, model.architecture.tokenizer.scales) == (3, 2)
    assert model.training.batch_size == small.training.batch_size == 48
    assert model.architecture.width == small.architecture.width == 64
    assert Model().architecture.width == Model.model_validate({"size": "paper"}).architecture.width


def test_a_dumped_model_is_read_as_the_same() -> None:
    model = Model.model_validate({"size": "small"})
    assert Model.model_validate(model.model_dump()) == model


@pytest.mark.parametrize("key", [{"training": 3}, {"training": {"epoch": 3}}, {"size": "large"}])
def test_mistakes_are_found_in_a_small_model_too(key: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Model.model_validate({"size": "small"} | key)


def test_a_given_model_has_no_size() -> None:
    with pytest.raises(ValidationError, match="`size` has no effect"):
        Model.model_validate({"size": "small", "checkpoint": "somewhere"})
