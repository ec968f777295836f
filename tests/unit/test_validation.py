import copy
import json
from pathlib import Path
from typing import Any

import pytest

from semantoks import schema
from semantoks.config import Config, json_schema
from semantoks.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
CONFIG: dict[str, Any] = {
    "datasets": {"demo": {"path": "bids", "phenotypes": {"age": "regression"}}},
    "models": {"small": {"datasets": ["demo"]}},
}


def check(**changes: Any) -> None:
    schema.check(copy.deepcopy(CONFIG) | changes, json_schema(), "config.yaml")


def test_the_committed_schema_is_the_models() -> None:
    path = ROOT / "workflow/schemas/config.schema.json"
    assert json.loads(path.read_text()) == json_schema()


def test_a_right_configuration_passes() -> None:
    check(probe={"repeats": 5}, atlas="seitzman300")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prob": {}}, r"unknown key 'prob'; did you mean 'probe'\?"),
        ({"probe": {"repeat": 3}}, r"unknown key 'probe.repeat'; did you mean 'probe.repeats'\?"),
        ({"probe": {"repeats": "many"}}, r"probe.repeats: 'many' is not of type 'integer' \("),
        ({"atlas": "seitzman30"}, r"atlas is 'seitzman30'; did you mean 'seitzman300'\?"),
        ({"atlas": "xyz"}, r"atlas is 'xyz'; known: seitzman300"),
        ({"baselines": ["fcc"]}, r"baselines.0 is 'fcc'; did you mean 'fc'\?"),
        ({"datasets": {}}, "'datasets' is empty"),
        ({"datasets": {"my-data": {"path": "x"}}}, "a name starts with a letter"),
        ({"datasets": {"demo": {}}}, "needs either 'path' or 'simulate'"),
        ({"models": {"small": {"datasets": ["dmo"]}}}, r"names 'dmo'; did you mean 'demo'\?"),
        ({"models": {"a": {"architecture": {"patch": 7}}}}, "does not divide the window of 100"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check(**changes)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UserError, match="'datasets' is missing"):
        schema.check({}, json_schema(), "config.yaml")


def test_defaults_are_filled_at_every_depth() -> None:
    filled = schema.fill(
        CONFIG
        | {
            "models": {"small": {"architecture": {"tokenizer": {"dense_channels": 64}}}},
            "datasets": {"demo": {"simulate": {"participants": 6}}},
        },
        json_schema(),
    )
    assert Config.model_validate(filled).model_dump(mode="json") == filled
    assert filled["models"]["small"]["architecture"]["tokenizer"]["structured_channels"] == 384
    assert filled["datasets"]["demo"]["simulate"]["seconds"] == 240
    assert filled["datasets"]["demo"]["path"] is None
