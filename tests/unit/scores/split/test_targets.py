import numpy as np
import pandas as pd
import pytest

from semantoks.config import Condition, Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.targets import check_target, in_fixed_classes, targets
from tests.unit.scores.split.conftest import CLASSIFICATION


def test_whole_numbers_are_named_without_decimals() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "dx": [1.0, 0.0, np.nan]})
    assert targets(table, "dx", CLASSIFICATION).to_dict() == {"a": "1", "b": "0"}
    renamed = Phenotype(kind="classification", column="dx", values={"1": "patient"})
    assert targets(table, "diagnosis", renamed).to_dict() == {"a": "patient"}


def test_the_first_name_of_a_column_is_used_and_the_others_are_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table = pd.DataFrame({"participant_id": ["a", "b"], "p31": ["Male", "Female"]})
    phenotype = Phenotype(kind="classification", column=["31-0.0", "p31"])
    assert targets(table, "sex", phenotype).to_dict() == {"a": "Male", "b": "Female"}
    assert not caplog.text
    assert targets(table.assign(**{"31-0.0": [1, 0]}), "sex", phenotype)["a"] == "1"
    assert "column '31-0.0' is used, and not 'p31'" in caplog.text
    with pytest.raises(UserError, match=r"no column '31-0.0' or 'p31' \(columns: x\)"):
        targets(pd.DataFrame({"participant_id": ["a"], "x": [1]}), "sex", phenotype)


def test_a_class_that_is_too_small_for_the_test_part_is_refused() -> None:
    with pytest.raises(UserError, match="class 'c' has 4 participants .* at least 5 are needed"):
        check_target(pd.Series(["a"] * 90 + ["c"] * 4), "dx", CLASSIFICATION, Splitting())


@pytest.mark.parametrize(
    ("values", "phenotype", "message"),
    [
        (["M", "F", "m"], CLASSIFICATION, "'M' .* and 'm'"),
        ([1, 2, -9], CLASSIFICATION, "missing_values"),
        ([30.0, 31, -9999], Phenotype(kind="regression"), "missing_values"),
        (
            ["M", "F", "F"],
            Phenotype(kind="classification", values={"m": "man", "F": "woman"}),
            "`values` has 'm', but the table has 'M'",
        ),
    ],
)
def test_codes_and_spellings_are_no_targets(
    values: list[object], phenotype: Phenotype, message: str
) -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "x": values})
    with pytest.raises(UserError, match=message):
        targets(table, "x", phenotype)


def test_values_and_limits_say_what_is_real() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "x": [1, 2, -9]})
    named = Phenotype(kind="classification", values={"1": "p", "-9": "c"})
    assert targets(table, "x", named).to_dict() == {"a": "p", "c": "c"}
    limited = Phenotype(kind="regression", include={"x": Condition(min=-10)})
    assert targets(table, "x", limited)["c"] == -9


def cut(values: list[float], **keys: object) -> list[str]:
    phenotype = Phenotype.model_validate({"kind": "classification", **keys})
    index = [f"sub-{i}" for i in range(len(values))]
    target = in_fixed_classes(pd.Series(values, index), "age", phenotype)
    assert list(target.index) == index
    return target.tolist()


def test_a_value_that_equals_an_edge_belongs_to_the_class_above() -> None:
    assert cut([49.9, 50, 59.9, 60, 80], edges=[50, 60]) == [
        "below 50",
        "50 to below 60",
        "50 to below 60",
        "60 and above",
        "60 and above",
    ]
    assert cut([-1.0, 0.25, 0.3], edges=[0.25]) == ["below 0.25", *["0.25 and above"] * 2]
    with pytest.raises(UserError, match="in the class '60 and above' .* from 10 to 59"):
        cut([10, 55, 59], edges=[50, 60])


def test_classes_that_are_cut_once_are_quantiles_of_everybody() -> None:
    assert cut([5, 1, 4, 2, 3, 6], bins=3, cut="once") == [
        *("3 of 3", "1 of 3", "2 of 3", "1 of 3", "2 of 3", "3 of 3")
    ]
    with pytest.raises(UserError, match="cannot be binned into 2 classes"):
        cut([1, 1, 1, 1, 2], bins=2, cut="once")
    # Else they stay numbers, which each split cuts at quantiles of its training participants.
    assert cut([5, 1, 4], bins=3) == [5, 1, 4]
