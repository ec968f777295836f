from pathlib import Path
from typing import Any

import pytest

from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.config import Condition, Phenotype
from semantoks.errors import UserError
from tests.conftest import run_split
from tests.unit.scores.split.conftest import CLASSIFICATION, REGRESSION


def test_only_participants_with_scan_and_value_are_split(
    cohort: tuple[list[Path], Path],
) -> None:
    paths, participants = cohort
    table = read_table(participants)
    table.loc[[3, 4], "group"] = None
    write_table(participants, table)
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    run_split(participants, scans, out, name="group", phenotype=CLASSIFICATION)
    assert read_table(out)["participant_id"].nunique() == 21
    left_out = read_metadata(out)["left_out"]
    assert left_out["people_without_value"] == 2
    assert left_out["people_without_scan"] == 1


@pytest.mark.parametrize(
    ("name", "phenotype", "settings", "message"),
    [
        ("same", CLASSIFICATION, {}, "'same' has the same value in all 23 participants"),
        ("iq", CLASSIFICATION, {}, "no column 'iq'"),
        ("group", REGRESSION, {}, "must be numeric, but its column holds 'control'"),
        ("group", CLASSIFICATION, {"site_column": "village"}, "no column 'village'"),
        (
            "group",
            Phenotype(kind="classification", values={"1": "patient"}),
            {},
            r"no value of column group \(control, patient\) is among those in `values` \(1\)",
        ),
        (
            "group",
            Phenotype(kind="classification", include={"age": Condition(min=200)}),
            {},
            "no participant has both a value and a usable scan",
        ),
    ],
)
def test_a_phenotype_that_cannot_be_predicted_is_refused(
    cohort: tuple[list[Path], Path],
    name: str,
    phenotype: Phenotype,
    settings: dict[str, Any],
    message: str,
) -> None:
    paths, participants = cohort
    out, scans = (paths[0].with_name(f"{stem}.parquet") for stem in ("split", "scans"))
    with pytest.raises(UserError, match=message):
        run_split(participants, scans, out, name=name, phenotype=phenotype, **settings)
