import pandas as pd
import pytest

from semantoks.config import Report
from semantoks.report.datasets import dataset_section, exclusions_by_kind


@pytest.mark.parametrize(
    ("participant", "reason", "kind"),
    [
        (
            "sub-{}",
            "sub-{}_bold.nii.gz cannot be read, it may be cut short",
            "a file cannot be read",
        ),
        ("5000{}", "Pitt_005000{}.npy is not a readable array", "a file is not a readable array"),
        ("5000{}", "ab/5000{} is no folder", "a file is no folder"),
        ("Jane {}", "Jane {}.npy is not a readable array (x)", "a file is not a readable array"),
        ("J{}", "J{}.1D is not a readable table (x)", "a file is not a readable table"),
        ("1{}", "fewer than 120 volumes, too few to filter", "fewer than 120 volumes"),
        ("sub-{}", "head motion: mean FD 0.{} mm", "head motion"),
    ],
)
def test_exclusions_are_counted_by_kind_without_names(
    participant: str, reason: str, kind: str
) -> None:
    excluded = pd.DataFrame({"participant_id": [participant.format(i) for i in "12"]})
    excluded["scan"] = excluded["participant_id"]
    excluded["reason"] = [reason.format(i) for i in "12"]
    tables = exclusions_by_kind(excluded)
    assert {name: len(table) for name, table in tables.items()} == {kind: 2}


def test_people_without_a_partner_are_counted() -> None:
    left_out = pd.DataFrame({"participant_id": ["a", "b", "c"], "reason": ["no scan"] * 3})
    scans = pd.DataFrame(
        {
            "scan": ["x"],
            "participant_id": ["x"],
            "status": ["ok"],
            "reason": [""],
            "seconds": [300.0],
            "mean_fd": [float("nan")],
            "coverage": [1.0],
        }
    )
    section = dataset_section("demo", scans, 0.5, Report(), left_out)
    assert section.unmatched == {"no scan": 3}
