from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.config import Splitting
from semantoks.errors import UserError
from semantoks.scores.split.draw import draw
from tests.unit.scores.split.conftest import CLASSIFICATION, participants_table


def test_fixed_splits_are_read_from_a_file(tmp_path: Path) -> None:
    table, file = participants_table(["a", "b"] * 10), tmp_path / "fixed.tsv"
    parts = ["train"] * 12 + ["validation"] * 3 + ["test"] * 4
    rows = pd.DataFrame({"participant_id": table.index[:19], "official": parts})
    rows.to_csv(file, sep="\t", index=False)
    phenotype = CLASSIFICATION.model_copy(update={"splits_file": str(file)})
    (split,) = draw(table, phenotype, Splitting())
    assert (split.name, split.scheme) == ("fixed official", "fixed")
    assert np.bincount(split.codes + 1).tolist() == [1, 12, 3, 4]
    rows.assign(official="tset").to_csv(file, sep="\t", index=False)
    with pytest.raises(UserError, match="'tset' is not a part; use train"):
        draw(table, phenotype, Splitting())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ("", "needs a column participant_id"),
        ("participant_id\nsub-000\n", "one column per split"),
        ("participant_id\ta\nsub-000\ttrain\nsub-000\ttest\n", "lists participant sub-000 twice"),
        ("participant_id\ta\nsub-0\ttrain\n", "has sub-0 where the scans have sub-000"),
        ("participant_id,a\nsub-000,train\n", "separated by commas"),
        ("participant_id\ta\nsub-000\ttrain\n", "no participant .* is in the test part"),
    ],
)
def test_an_unusable_file_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "fixed.tsv"
    if content is not None:
        file.write_text(content)
    phenotype = CLASSIFICATION.model_copy(update={"splits_file": str(file)})
    with pytest.raises(UserError, match=message):
        draw(participants_table(["a", "b"] * 10), phenotype, Splitting())


def test_blanks_prefixes_and_unknown_ids(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table, file = participants_table(["a", "b"] * 3), tmp_path / "fixed.tsv"
    file.write_text(
        "participant_id \tx\nsub-000\ttrain \n001\t test\nsub-900\ttrain\nsub-002\tN/A\n"
    )
    phenotype = CLASSIFICATION.model_copy(update={"splits_file": str(file)})
    with caplog.at_level("WARNING"):
        (split,) = draw(table, phenotype, Splitting())
    assert split.codes.tolist() == [0, 2, -1, -1, -1, -1]
    assert "1 of 4 ids in fixed.tsv are not used" in caplog.text and "sub-900" in caplog.text
