"""A variant has files of its own from the first stage that differs, and shares those before."""

from __future__ import annotations

from typing import Any

import pytest

from semantoks.config import Config, Model, Pretraining
from semantoks.config.rows import merged
from semantoks.config.sharing import STAGES, Sharing

CONTENT: dict[str, Any] = {
    "datasets": {
        "raw": {"path": "raw", "phenotypes": {"sex": "classification", "age": "regression"}},
        "corpus": {"path": "corpus", "source": "timeseries"},
    },
    "models": {"seen": {"datasets": ["corpus"]}, "all": {}, "given": {"checkpoint": "hf:a/b"}},
    "baselines": ["fc", "confounds"],
    "stacked": False,
}
RAW = "raw~v"


def sharing(**changes: Any) -> Sharing:
    main = Config.model_validate(CONTENT)
    return Sharing(main, {"v": Config.model_validate(merged(CONTENT, changes))})


def of_raw(plan: Sharing) -> list[str]:
    """Say which files of the data set `raw` are those of the variant, in the order of stages."""
    names = [*(s for s in STAGES if plan.dataset(s, RAW) == RAW)]
    names += [m for m in CONTENT["models"] if plan.model(RAW, m) == f"{m}~v"]
    names += [f"{r}@" for r in ("seen", "fc", "confounds") if plan.representation(RAW, r) == RAW]
    names += [f"split {p}" for p in ("sex", "age") if plan.split(RAW, p) == RAW]
    return names + [f"{r} {p}" for p, r in SCORED if plan.scores(RAW, p, [r]) == RAW]


SCORED = [(p, r) for p in ("sex", "age") for r in ("seen", "given", "fc")]
TIMESERIES = ["timeseries", "samples", "seen", "all", "seen@", "fc@", "confounds@"]
SPLITS = ["split sex", "split age"]
SCORES = [f"{r} {p}" for p, r in SCORED]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"parcellation": {"low_pass": 0.08}}, [*TIMESERIES, *SPLITS, *SCORES]),
        (
            {"preprocessing": {"voxel_size": 4}},
            ["preprocess", *(n for n in TIMESERIES if n != "seen"), *SPLITS, *SCORES],
        ),
        (
            {"models": {"seen": {"training": {"seed": 1}}}},
            ["seen", "seen@", "seen sex", "seen age"],
        ),
        ({"splits": {"seed": 1}}, [*SPLITS, *SCORES]),
        ({"probe": {"inner_folds": 3}}, SCORES),
        (
            {"datasets": {"raw": {"phenotypes": {"sex": {"kind": "classification", "match": []}}}}},
            ["split sex", *(s for s in SCORES if s.endswith("sex"))],
        ),
        (
            {"datasets": {"corpus": {"path": "elsewhere"}}},
            ["seen", "all", "seen@", "seen sex", "seen age"],
        ),
        ({"datasets": {"raw": {"age_column": "years"}}}, ["confounds@", *SPLITS, *SCORES]),
    ],
)
def test_what_is_of_the_variant(changes: dict[str, Any], expected: list[str]) -> None:
    assert of_raw(sharing(**changes)) == expected


def test_another_engine_begins_with_the_index() -> None:
    fmriprep = {"engine": "fmriprep"}
    assert of_raw(sharing(preprocessing=fmriprep))[:3] == ["index", "preprocess", "timeseries"]


def test_every_name_has_its_settings() -> None:
    plan = sharing(parcellation={"low_pass": 0.08}, models={"seen": {"cpu_threads": 2}})
    assert list(plan.datasets) == ["raw", "corpus", "raw~v", "corpus~v"]
    assert plan.models["seen~v"].cpu_threads == 2 and plan.models["seen"].cpu_threads == 4
    assert plan.config_of("raw~v").parcellation.low_pass == 0.08
    assert plan.config_of("raw") is plan.main
    assert plan.seen("seen~v") == ["corpus~v"] and plan.seen("all") == ["raw", "corpus"]
    assert plan.dataset("timeseries", "raw") == "raw" and plan.scores("raw", "sex", ["fc"]) == "raw"


def test_splits_are_followed_where_participants_are_drawn_alike() -> None:
    assert sharing(parcellation={"low_pass": 0.08}).followed(RAW, "sex") == "raw"
    assert sharing(splits={"seed": 1}).followed(RAW, "sex") is None
    assert sharing(splits={"seed": 1}).followed("raw", "sex") is None


def test_regressing_confounds_out_depends_on_them() -> None:
    main = merged(CONTENT, {"probe": {"confounds": "residualise"}})
    varied = merged(main, {"datasets": {"raw": {"motion_column": "fd"}}})
    plan = Sharing(Config.model_validate(main), {"v": Config.model_validate(varied)})
    assert plan.representation(RAW, "fc") == "raw" and plan.scores(RAW, "sex", ["fc"]) == RAW


@pytest.mark.parametrize(("processes", "nodes", "is_shared"), [(4, 2, True), (3, 1, False)])
def test_processes_that_draw_other_views_train_another_model(
    processes: int, nodes: int, is_shared: bool
) -> None:
    plan = sharing(models={"seen": {"processes": processes, "nodes": nodes}})
    assert (plan.model(RAW, "seen") == "seen") == is_shared
    model = Model(processes=processes, nodes=nodes)
    content = Pretraining.part_of(model).model_dump(mode="json")
    assert ("ranks" not in content) == is_shared
    assert Model(nodes=16).ranks == 16 and Model(training={"batch_size": 50}, nodes=4).ranks == 4


def test_more_splits_of_a_fine_tuned_model_are_scores_of_the_variant() -> None:
    main = merged(CONTENT, {"finetune": {"models": ["seen"], "splits": 2}})
    varied = merged(main, {"finetune": {"splits": 4}})
    plan = Sharing(Config.model_validate(main), {"v": Config.model_validate(varied)})
    assert plan.scores(RAW, "sex", ["seen-finetuned"]) == RAW
    assert plan.scores(RAW, "sex", ["fc"]) == "raw"


def test_whoever_is_held_out_anywhere_matters_to_a_model() -> None:
    held_out = {"datasets": {"corpus": {"hold_out": 5}}}
    assert of_raw(sharing(**held_out))[:2] == ["seen", "all"]
