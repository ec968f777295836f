"""Parts of the people that a model is pretrained on."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from semantoks.config import Config, Probe, name_at, split_fraction, split_row


def test_names_of_models_and_rows() -> None:
    for fraction, name in ((0.1, "m@10pct"), (0.005, "m@0.5pct"), (1 / 3, "m@33.33333333pct")):
        assert name_at("m", fraction) == name
        assert split_fraction(name) == ("m", pytest.approx(fraction))
    assert name_at("m", 1) == "m" and split_fraction("m-full") == ("m-full", 1)
    assert split_row("m@10pct") == ("m@10pct", None)


def test_models_and_rows_of_a_configuration() -> None:
    content: dict[str, object] = {
        "datasets": {"toy": {"path": "x"}},
        "models": {"m": {"readouts": ["pooled", "full"], "scaling": [1, 0.3, 0.1]}, "other": {}},
    }
    config = Config.model_validate(content)
    assert list(config.scaled_models) == ["m@10pct", "m@30pct"]
    assert config.scaled_embeddings["m-full@30pct"] == ("m@30pct", "full")
    assert config.embeddings.keys() == {"m", "m-full", "other"}


def test_a_point_of_a_curve_needs_no_permutations() -> None:
    row = Probe().of_row("m-full@10pct")
    assert (row.permutations, row.learning_curve) == (0, [])
    assert Probe().of_row("m-full").permutations == 1000


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"checkpoint": "hf:a/b", "scaling": [0.1]}, "is not trained, so `scaling` has no effect"),
        ({"training": {"epochs": 0}, "scaling": [0.1]}, "but training.epochs is 0; take it out"),
        ({"scaling": [1]}, "scaling has no fraction below 1"),
        ({"scaling": [10]}, "less than or equal to 1"),
    ],
)
def test_parts_of_nothing_are_refused(model: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Config.model_validate({"datasets": {"toy": {"path": "x"}}, "models": {"m": model}})
