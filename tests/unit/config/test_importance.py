"""What is asked about the importance of networks."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from semantoks.config import Config


def test_what_is_asked_for_its_networks() -> None:
    content: dict[str, object] = {
        "datasets": {"toy": {"path": "x", "phenotypes": {"age": "regression", "dx": "regression"}}},
        "models": {"m": {"readouts": ["pooled", "networks", "full", "distilled"]}},
        "baselines": ["fc", "coskewness", "confounds"],
    }
    assert Config.model_validate(content).important("age") == []
    every = Config.model_validate(content | {"importance": True})
    assert every.important("age") == ["m-networks", "m-full", "fc"]
    asked = {"representations": ["m-full"], "phenotypes": ["dx"]}
    config = Config.model_validate(content | {"importance": asked})
    assert config.important("age") == [] and config.important("dx") == ["m-full"]


@pytest.mark.parametrize(
    ("importance", "message"),
    [
        ({"representations": ["m"]}, "representations names 'm', which is none of those that can"),
        ({"phenotypes": ["bmi"]}, "phenotypes names 'bmi', which is none of those that can"),
    ],
)
def test_networks_of_nothing_are_refused(importance: object, message: str) -> None:
    content = {"datasets": {"toy": {"path": "x", "phenotypes": {"age": "regression"}}}}
    with pytest.raises(ValidationError, match=message):
        Config.model_validate(content | {"models": {"m": {}}, "importance": importance})
    with pytest.raises(ValidationError, match="importance needs exact fits"):
        Config.model_validate(
            content | {"importance": True, "probe": {"protocol": "paper"}, "baselines": ["fc"]}
        )
