import pandas as pd

from semantoks.config import Report
from semantoks.report.datasets import dataset_section, exclusions_by_kind

SCANS = pd.DataFrame(
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


def test_exclusions_are_counted_by_kind() -> None:
    reasons = ["Jane Doe.npy is not a readable array (x)", "J1.1D is not a readable table (y)"]
    excluded = pd.DataFrame({"participant_id": ["Jane Doe", "J1"], "reason": reasons})
    tables = exclusions_by_kind(excluded)
    assert {name: len(table) for name, table in tables.items()} == {"a file cannot be read": 2}


def test_the_order_of_kinds_does_not_tell_which_is_more_frequent() -> None:
    kinds = "head motion: 1 mm", "sub-01 is missing"
    orders = [
        list(exclusions_by_kind(pd.DataFrame({"reason": [kinds[0]] * n + [kinds[1]] * (39 - n)})))
        for n in (19, 20)
    ]
    assert orders[0] == orders[1] == ["head motion", "the file is not here"]


def test_people_without_a_partner_are_counted_without_the_name_of_the_table() -> None:
    reasons = ["no scan", "no scan", "no row in secret.tsv"]
    left_out = pd.DataFrame({"participant_id": list("abc"), "reason": reasons})
    section = dataset_section("demo", SCANS, 0.5, Report(), left_out)
    assert section.unmatched == {"no scan": 2, "no row in the table of participants": 1}
    section = dataset_section("demo", SCANS, 0.5, Report(participants=True), left_out)
    assert section.unmatched == {"no scan": 2, "no row in secret.tsv": 1}
