"""Published scores and ours, with the conditions of both."""

from __future__ import annotations

from typing import Any

import pytest

from semantoks.config import Config, Published, Report
from semantoks.report.overlap import Overlap
from semantoks.report.published import (
    Conditions,
    PublishedScore,
    _pretraining_text,
    beside_published,
)
from semantoks.report.redaction import redacted
from semantoks.scores.benchmark.comparison import (
    Comparison,
    Publication,
    Row,
    SchemeResult,
    Summary,
)

PUBLISHED: dict[str, Any] = {
    "model": "BrainLM",
    "value": 0.55,
    "people": 974,
    "train": 584,
    "validation": 195,
    "test": 195,
    "classes": "autism, control",
    "head": "SGD",
    "atlas": "AAL-424",
    "preprocessing": "CPAC",
    "pretraining": "none",
    "protocol": "ten repeats",
    "source": "arXiv 2512.11582",
}
CONFIG: dict[str, Any] = {
    "atlas": "semantoks457",
    "datasets": {"abide": {"path": "x", "source": "timeseries"}},
    "models": {"brain": {}, "given": {"checkpoint": "x.pth"}},
}
OVERLAPS = [
    Overlap("brain", "abide", True, 100, 0, 0),
    Overlap("given", "abide", False, 100, 0, 0),
]


def comparison(protocol: str = "exact", **changes: Any) -> Comparison:
    scores = {"fc": 0.6, "brain+fc": 0.65, "given": 0.5, "chance": 0.5}
    rows = [
        Row(
            representation=name,
            features=3,
            metrics={"balanced_accuracy": Summary(mean=mean, sd=0.1, low=0.4, high=0.8)},
        )
        for name, mean in scores.items()
    ]
    scheme = SchemeResult(
        scheme="random",
        splits=10,
        held_out=[],
        train_people=80,
        test_people=20,
        representations=rows,
    )
    content = {
        "dataset": "abide",
        "phenotype": "dx",
        "kind": "classification",
        "bins": None,
        "people": 100,
        "classes": {"autism": 50, "control": 50},
        "left_out": {},
        "protocol": protocol,
        "confounds": "none",
        "metric": "balanced_accuracy",
        "schemes": [scheme],
        "curves": {},
        "permutation": {},
        "publication": Publication(
            title="",
            data="",
            terms="",
            metric="balanced_accuracy",
            published=[Published(**PUBLISHED)],
        ),
    }
    return Comparison(**(content | changes))


def rows_of(task: Comparison, config: dict[str, Any] = CONFIG) -> dict[str, PublishedScore]:
    shown = Report(participants=True)
    rows = beside_published(task, OVERLAPS, Config.model_validate(config), shown)
    assert [row.value for row in rows] == sorted((row.value for row in rows), reverse=True)
    return {row.model: row for row in rows}


def test_a_combined_row_was_pretrained_on_whom_its_models_were() -> None:
    overlaps = [Overlap("a", "abide", True, 100, 20, 0), Overlap("b", "abide", False, 100, 0, 0)]
    shown = Report(participants=True)

    def text(*members: str) -> str:
        return _pretraining_text("abide", members, overlaps, shown)

    assert text("a-networks", "fc") == "20 of 100 participants"
    assert text("a", "b") == "not known (given checkpoint)"
    assert text("fc", "tangent") == "no pretraining"
    for row in (["mine"], ["mine+fc"], ["fc", "mine"]):
        of_row = _pretraining_text("abide", row, overlaps, shown, ["mine"])
        assert of_row == "not known (made elsewhere)"


def test_both_sides_state_their_conditions() -> None:
    rows = rows_of(comparison())
    assert "chance" not in rows
    theirs = rows["BrainLM"]
    assert (theirs.remark, theirs.source, theirs.is_ours) == (
        "ten repeats",
        "arXiv 2512.11582",
        False,
    )
    assert theirs.conditions == Conditions(
        people="974",
        sizes="584 / 195 / 195",
        classes="autism, control",
        head="SGD",
        atlas="AAL-424",
        preprocessing="CPAC",
        pretraining="none",
    )
    ours = rows["brain + connectivity"]
    assert (ours.remark, ours.source, ours.is_ours) == ("10 splits", "this report", True)
    assert ours.conditions == Conditions(
        people="100",
        sizes="80 / 0 / 20",
        classes="2: autism, control",
        head="L2 logistic regression",
        atlas="semantoks457",
        preprocessing="time series as given, 0.01–0.1 Hz, TR 2 s",
        pretraining="none",
    )
    assert rows["given"].conditions.pretraining == "not known (given checkpoint)"
    assert rows["connectivity (Pearson)"].conditions.pretraining == "no pretraining"


def test_the_paper_s_head_says_who_validates() -> None:
    task = comparison("both")
    (scheme,) = task.schemes
    rows = scheme.representations
    by_paper = [
        row.model_copy(update={"representation": f"{name}@paper", "protocol": "paper"})
        for row, name in zip(rows, ("fc", "brain", "confounds"), strict=False)
    ]
    update = {"representations": rows + by_paper, "validation_people": 20}
    found = rows_of(task.model_copy(update={"schemes": [scheme.model_copy(update=update)]}))
    exact, paper = (
        found["brain + connectivity"].conditions,
        found["brain (paper’s head)"].conditions,
    )
    assert (exact.head, exact.sizes) == ("L2 logistic regression", "80 / 0 / 20")
    assert (paper.head, paper.sizes) == ("the paper’s: SGD on windows", "60 / 20 / 20")
    assert paper.pretraining == "none"
    assert "connectivity (Pearson) (paper’s head)" in found
    assert "confounds only (paper’s head)" not in found


def test_what_a_publication_does_not_state_is_a_dash() -> None:
    published = [Published(model="x", value=0.5, test=20, source="y")]
    publication = Publication(
        title="", data="", terms="", metric="balanced_accuracy", published=published
    )
    conditions = rows_of(comparison(publication=publication))["x"].conditions
    assert conditions == Conditions("–", "– / – / 20", *5 * "–")


@pytest.mark.parametrize(
    ("dataset", "text"),
    [
        ({"source": "bids"}, "built-in engine, confounds simple, 0.01–0.1 Hz, TR 2 s"),
        (
            {"source": "fmriprep", "confounds": "none"},
            "preprocessed images as given, confounds none, 0.01–0.1 Hz, TR 2 s",
        ),
    ],
)
def test_preprocessing_is_said_in_words(dataset: dict[str, str], text: str) -> None:
    config = CONFIG | {"atlas": "seitzman300", "datasets": {"abide": {"path": "x", **dataset}}}
    conditions = rows_of(comparison(), config)["connectivity (Pearson)"].conditions
    assert conditions.preprocessing == text


def test_published_conditions_are_no_secret() -> None:
    phenotype = {"kind": "classification", "published": [PUBLISHED]}
    datasets = {"abide": {"path": "x", "phenotypes": {"dx": phenotype}}}
    shown = redacted(Config.model_validate({"datasets": datasets}))
    assert shown.datasets["abide"].phenotypes["dx"].published == [Published(**PUBLISHED)]
