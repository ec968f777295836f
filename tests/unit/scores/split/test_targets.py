import numpy as np
import pandas as pd
import pytest

from semantoks.config import Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.targets import check_target, targets
from tests.unit.scores.split.conftest import CLASSIFICATION


def test_whole_numbers_are_named_without_decimals() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "dx": [1.0, 0.0, np.nan]})
    assert targets(table, "dx", CLASSIFICATION).to_dict() == {"a": "1", "b": "0"}
    renamed = Phenotype(kind="classification", column="dx", values={"1": "patient"})
    assert targets(table, "diagnosis", renamed).to_dict() == {"a": "patient"}


def test_a_class_that_is_too_small_for_the_test_part_is_refused() -> None:
    with pytest.raises(UserError, match="class 'c' has 4 participants .* at least 5 are needed"):
        check_target(pd.Series(["a"] * 90 + ["c"] * 4), "dx", CLASSIFICATION, Splitting())
