"""What the page says of blocks: their people, and no number that would tell how many these are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semantoks.config import Config, Dataset, Parcellation, Report
from semantoks.report.cautions import FEW_PARTICIPANTS, cautions
from semantoks.report.datasets import dataset_section
from semantoks.report.names import PERMUTED
from semantoks.report.overlap import overlaps
from semantoks.report.privacy import samples_text
from semantoks.report.rounding import rounded_comparison
from semantoks.report.tasks import task_sections
from semantoks.scores.benchmark.comparison import Comparison
from tests.conftest import toy_scan
from tests.unit.report.conftest import page_with
from tests.unit.report.test_disclosure import comparison as comparison_of
from tests.unit.report.test_overlap import scan_table

EXACT, SHARED = Report(participants=True), Report()
DATASET = Dataset(path="task")


def of_blocks(people: int, blocks: int = 8) -> Comparison:
    """A comparison of people with so many blocks each."""
    names = ("people", "case", "control", "train", "validation", "test", "without", "no_scan")
    ordinary = comparison_of(dict.fromkeys(names, 40), lambda middle: middle)
    (scheme,) = ordinary.schemes
    sizes = {"train_people": blocks * people * 0.8, "test_people": blocks * people * 0.2}
    return ordinary.model_copy(
        update={
            "persons": people,
            "people": blocks * people,
            "permuted": "within people",
            "classes": {"case": blocks * people / 2, "control": blocks * people / 2},
            "left_out": {},
            "schemes": [scheme.model_copy(update=sizes)],
            "curves": {},
        }
    )


def page_of(comparison: Comparison, settings: Report) -> str:
    config = Config.model_validate({"datasets": {"toy": {"path": "toy", "events": {}}}})
    tasks = task_sections([comparison], [], {}, config, settings)
    return " ".join(page_with(config, settings, tasks=tasks).split())


def test_the_page_says_blocks_of_people() -> None:
    text = page_of(of_blocks(120), EXACT)
    assert "Classification, 960 blocks of 120 people (case: 480, control: 480)" in text
    assert "768 training and 192 test blocks" in text
    assert PERMUTED["within people"] in text
    assert "1 blocks of 1 person" in samples_text(of_blocks(1, 1), EXACT)


@pytest.mark.parametrize("people", [13, 14, 15, 16, 17])
def test_numbers_of_blocks_do_not_tell_the_number_of_people(people: int) -> None:
    """They are those of five, ten, … people with eight blocks each, or of fewer than five."""
    comparison = rounded_comparison(of_blocks(people))
    assert "about 120 blocks of about 15 people" in page_of(comparison, SHARED)
    (scheme,) = comparison.schemes
    for count in (scheme.train_people, *(comparison.classes or {}).values()):
        assert count % 40 == 0
    assert scheme.test_people == 15


def test_few_people_are_few_however_many_blocks_they_have() -> None:
    sentences = cautions(of_blocks(20, blocks=40), [], {})
    assert any(sentence.startswith("Few participants") for sentence in sentences)
    assert not cautions(of_blocks(FEW_PARTICIPANTS + 1), [], {})


def blocks_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Three blocks of each run; the first has its fingerprints."""
    rows = []
    for run in runs.to_dict("records"):
        for number in range(3):
            name = f"{run['scan']}_block-{number + 1:02d}"
            of_run = run if number == 0 else {**run, "fingerprint": None}
            rows.append({**of_run, "scan": name, "participant_id": name})
            rows[-1] |= {"person": run["participant_id"], "source": run["scan"], "seconds": 20.0}
    return pd.DataFrame(rows).assign(reason="", mean_fd=0.1, coverage=1.0)


@pytest.fixture
def blocks() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return blocks_of(scan_table("abcdef", [toy_scan(rng, bool(i % 2)) for i in range(6)]))


def test_the_section_of_a_data_set_counts_people(blocks: pd.DataFrame) -> None:
    section = dataset_section("task", blocks, DATASET, Parcellation(), EXACT)
    assert (section.participants, section.used, section.unit) == (6, 18, "blocks")
    assert section.length == "20.0 seconds"
    assert dataset_section("task", blocks, DATASET, Parcellation(), SHARED).used == 5 * 3


def test_overlap_is_of_people_and_whole_runs(blocks: pd.DataFrame) -> None:
    """Four of the people are in the resting data too, with the same run."""
    rng = np.random.default_rng(0)
    rest = scan_table("abcdef", [toy_scan(rng, bool(i % 2)) for i in range(6)]).head(4)
    config = Config.model_validate(
        {
            "datasets": {
                "task": {"path": "a", "events": {}, "phenotypes": {"trial_type": "classification"}},
                "rest": {"path": "b"},
            },
            "models": {"own": {"datasets": ["task"]}, "other": {"datasets": ["rest"]}},
        }
    )
    own, other = overlaps({"task": blocks, "rest": rest}, config)
    assert (own.participants, own.same_id, own.same_scan) == (6, 6, 6)
    assert (other.same_id, other.same_scan) == (0, 4)
