import pandas as pd

from semantoks.config import Config, Dataset, Parcellation, Report
from semantoks.people.ids import NO_ROW
from semantoks.report.datasets import dataset_section, exclusions_by_kind
from tests.unit.report.conftest import page_with

DATASET, LIMITS = Dataset(path="demo", shards=4), Parcellation()
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


def test_people_without_a_scan_are_counted_without_other_words() -> None:
    reasons = ["no scan", "no scan", "Jane Doe"]
    left_out = pd.DataFrame({"participant_id": list("abc"), "reason": reasons})
    section = dataset_section("demo", SCANS, DATASET, LIMITS, Report(), left_out)
    assert section.unmatched == {"no scan": 2, "another reason": 1}
    section = dataset_section("demo", SCANS, DATASET, LIMITS, Report(participants=True), left_out)
    assert section.unmatched == {"no scan": 2, "Jane Doe": 1}


def test_people_who_are_not_in_the_table_are_counted_once_and_not_named() -> None:
    excluded = SCANS.assign(status="excluded")
    reasons = {"a": NO_ROW, "b": NO_ROW, "c": "head motion: 1 mm"}
    scans = pd.concat([SCANS, *(excluded.assign(scan=k, reason=r) for k, r in reasons.items())])
    section = dataset_section("demo", scans, DATASET, LIMITS, Report(participants=True))
    assert (len(section.excluded), len(section.unlisted)) == (3, 2)
    assert [scan.scan for scan in section.listed] == ["c"] and section.unmatched == {}
    section = dataset_section("demo", scans, DATASET, LIMITS, Report())
    assert {kind: len(rows) for kind, rows in section.kinds.items()}[NO_ROW] == 2


def test_a_large_data_set_does_not_make_the_page_grow() -> None:
    count = 5000
    names = [f"sub-{i:05d}" for i in range(count)]
    scans = pd.DataFrame(
        {"scan": names, "participant_id": names, "seconds": 300.0, "coverage": 1.0}
    )
    scans["status"], scans["reason"] = "excluded", "head motion: 0.9 mm"
    scans["mean_fd"] = 0.9
    shown = Report(participants=True)
    section = dataset_section("big", pd.concat([SCANS, scans]), DATASET, LIMITS, shown)
    assert len(section.listed) == 100
    config = Config.model_validate({"datasets": {"big": {"path": "big"}}})
    few = dataset_section("big", pd.concat([SCANS, scans.head(100)]), DATASET, LIMITS, shown)
    long, short = (page_with(config, shown, datasets=[part]) for part in (section, few))
    assert len(long) < len(short) + 1000
    assert 'href="../scans/big_excluded.tsv"' in long and "big_excluded" not in short
