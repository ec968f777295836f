from __future__ import annotations

import pandas as pd
import pytest

from semantoks.report.cautions import cautions
from semantoks.report.overlap import Overlap
from semantoks.scores.benchmark.comparison import Comparison, Row
from tests.unit.report.test_tasks import comparison


def large(classes: dict[str, int] | None = None) -> Comparison:
    return comparison(0.5).model_copy(update={"people": 400, "classes": classes})


def metrics(*ranks: float) -> pd.DataFrame:
    return pd.DataFrame({"epoch": range(1, len(ranks) + 1), "teacher_effective_rank": ranks})


def overlap(
    model: str, dataset: str, same_id: int, same_scan: int = 0, known: bool = True
) -> Overlap:
    return Overlap(model, dataset, known, 400, same_id, same_scan)


def test_no_caution_without_a_reason() -> None:
    training = {"model": metrics(1.1, 9.0), "another": metrics(1.0)}
    shared = [overlap("model", "toy", 0), overlap("model", "elsewhere", 400)]
    assert cautions(large({"a": 100, "b": 300}), shared, training) == []


def test_sites_that_cannot_be_left_out_are_said() -> None:
    (sentence,) = cautions(large(), [], {}, has_sites=True)
    assert sentence.startswith("No site is left out, since fewer than two have 10 participants")


def test_the_papers_head_alone_has_no_sites() -> None:
    task = large().model_copy(update={"protocol": "paper"})
    (sentence,) = cautions(task, [], {}, has_sites=True)
    assert sentence.startswith("The paper’s head has no rows here")


def test_rows_that_hold_confounds_do_not_hide_how_well_these_predict() -> None:
    task = large()
    (scheme,) = task.schemes
    (first, *_) = scheme.representations

    def row(name: str, mean: float) -> Row:
        score = first.metrics[task.metric].model_copy(update={"mean": mean})
        return first.model_copy(update={"representation": name, "metrics": {task.metric: score}})

    scores = {"model": 0.6, "fc": 0.62, "confounds": 0.8, "confounds@paper": 0.81, "all": 0.82}
    scheme = scheme.model_copy(update={"representations": [*map(row, scores, scores.values())]})
    update = {"schemes": [scheme], "permutation": {"confounds": 0.001}}
    task = task.model_copy(update=update)
    (sentence,) = cautions(task, [], {}, with_confounds=["all"])
    assert sentence.startswith("Confounds alone")
    assert cautions(task, [], {}) == []


def test_a_row_of_the_papers_head_is_of_its_model() -> None:
    task = large()
    (scheme,) = task.schemes
    rows = [
        row.model_copy(update={"representation": f"{row.representation}@paper"})
        for row in scheme.representations
    ]
    schemes = [scheme.model_copy(update={"representations": rows})]
    task = task.model_copy(update={"schemes": schemes})
    assert len(cautions(task, [overlap("model", "toy", 400)], {})) == 1


@pytest.mark.parametrize(
    ("task", "shared", "training", "start"),
    [
        (comparison(0.5), [], {}, "Few participants"),
        (large({"a": 80, "b": 320}), [], {}, "Uneven classes"),
        (large(), [], {"model": metrics(9.0, 1.02)}, "model is hardly trained"),
        (large(), [], {"model": metrics(float("nan"))}, "model is hardly trained"),
        (large(), [overlap("model", "toy", 400)], {}, "model was pretrained on scans of tested"),
        (large(), [overlap("model", "toy", 0, 3)], {}, "model was pretrained on scans of tested"),
        (large(), [overlap("model", "toy", 0, known=False)], {}, "model is a given checkpoint"),
    ],
)
def test_reasons_to_distrust_a_task(
    task: Comparison, shared: list[Overlap], training: dict[str, pd.DataFrame], start: str
) -> None:
    (sentence,) = cautions(task, shared, training)
    assert sentence.startswith(start)


@pytest.mark.parametrize(
    ("confounds", "p", "warned"), [(0.6, 0.01, True), (0.6, 0.2, False), (0.4, 0.01, False)]
)
def test_confounds_that_score_as_high_as_everything_else(
    confounds: float, p: float, warned: bool
) -> None:
    task = large()
    (scheme,) = task.schemes
    first = scheme.representations[0]
    summary = first.metrics[task.metric].model_copy(update={"mean": confounds})
    row = first.model_copy(
        update={"representation": "confounds", "metrics": first.metrics | {task.metric: summary}}
    )
    scheme = scheme.model_copy(update={"representations": [*scheme.representations, row]})
    task = task.model_copy(update={"schemes": [scheme], "permutation": {"confounds": p}})
    said = cautions(task, [], {})
    assert bool(said) == warned
    assert all("Confounds alone" in sentence for sentence in said)
