import numpy as np
import pandas as pd
import pytest

from semantoks.config import Condition
from semantoks.errors import UserError
from semantoks.scores.split.eligibility import eligible_targets, meets_conditions
from tests.unit.scores.split.conftest import CLASSIFICATION


def test_all_conditions_must_be_met() -> None:
    table = pd.DataFrame({"participant_id": list("abcd"), "age": [5, 10, 20, np.nan]})
    table["quality"] = [1.0, 1.0, 0.0, 1.0]
    conditions = {"age": Condition(min=6, max=20), "quality": Condition(values=["1"])}
    meets = meets_conditions(table, conditions)
    assert meets.to_dict() == {"a": False, "b": True, "c": False, "d": False}
    condition = {"adult": Condition(column=["AGE", "age"], min=18)}
    assert meets_conditions(table, condition).to_list() == [False, False, True, False]
    with pytest.raises(UserError, match="no column 'iq', which `include` names"):
        meets_conditions(table, {"iq": Condition(min=1)})


def test_top_coded_ages_are_compared_as_numbers() -> None:
    table = pd.DataFrame({"participant_id": list("ab"), "age": ["89+", "30"]})
    assert meets_conditions(table, {"age": Condition(min=80)}).to_dict() == {"a": True, "b": False}


def test_of_participants_with_the_same_scan_the_first_is_selected() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "dx": ["x", "y", "x"]})
    scans = pd.DataFrame({"participant_id": ["b", "a", "c"], "recording": ["1", "1", "2"]})
    target, left_out = eligible_targets(table, scans.assign(status="ok"), "dx", CLASSIFICATION)
    assert list(target.index) == ["a", "c"]
    assert left_out["people_with_the_scan_of_another"] == 1


def test_of_two_people_with_the_same_scan_the_one_who_is_held_out_is_scored() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c", "d"], "dx": ["x", "y", "x", "y"]})
    scans = pd.DataFrame({"participant_id": ["a", "b", "c"], "recording": ["1", "1", "2"]})
    scans = scans.assign(status="ok", held_out=[False, True, True])
    target, left_out = eligible_targets(table, scans, "dx", CLASSIFICATION)
    assert list(target.index) == ["b", "c"]
    assert {reason: count for reason, count in left_out.items() if count} == {
        "people_without_scan": 1,
        "people_not_held_out": 1,
    }
    scans = scans.assign(status=["ok", "excluded", "excluded"])  # nobody else takes their place
    assert eligible_targets(table, scans, "dx", CLASSIFICATION)[0].empty


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (Condition(values=["m"]), "has 'm', but the table has 'M'"),
        (Condition(min=3), "must be numeric, but holds 'M'"),
    ],
)
def test_a_condition_that_means_nothing_in_the_column_is_refused(
    condition: Condition, message: str
) -> None:
    participants = pd.DataFrame({"participant_id": ["a", "b"], "sex": ["M", "F"]})
    with pytest.raises(UserError, match=message):
        meets_conditions(participants, {"sex": condition})
