import copy
import json
from typing import Any, get_args

import pytest

from semantoks.artifacts.timeseries import Manifest
from semantoks.config import ManifestField, json_schema
from semantoks.config.validation import complete
from semantoks.errors import UserError
from tests.workspaces import ROOT

CONFIG: dict[str, Any] = {
    "datasets": {"demo": {"path": "bids", "phenotypes": {"age": "regression"}}},
    "models": {"small": {"datasets": ["demo"]}},
}
OWN_ATLAS = {"image": "x.nii", "table": "x.tsv", "space": "MNI152NLin6Asym"}


def check(**changes: Any) -> dict[str, Any]:
    return complete(copy.deepcopy(CONFIG) | changes, "config.yaml")


def test_the_committed_schema_is_the_models() -> None:
    path = ROOT / "workflow/schemas/config.schema.json"
    assert json.loads(path.read_text()) == json_schema()


def test_a_right_configuration_passes() -> None:
    check(probe={"repeats": 5}, atlas="seitzman300")
    derivatives = {"demo": {"path": "x", "source": "fmriprep"}}
    for name in ("semantoks457", "cc200", "schaefer1000x17", "mine"):
        found = check(atlas=name, atlases={"mine": OWN_ATLAS}, datasets=derivatives)
        assert found["atlas"] == name
    check(atlas="cc200", preprocessing={"engine": "fmriprep"})


def test_an_untrained_model_has_all_blocks_but_what_is_learned() -> None:
    untrained = {"readouts": ["pooled", "full"], "training": {"epochs": 0}}
    models = check(models={"a": untrained})["models"]
    assert "distilled" in models["a"]["blocks"]


def test_allowed_mismatches_are_fields_of_the_manifest() -> None:
    assert set(get_args(ManifestField)) == set(Manifest.model_fields)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prob": {}}, r"unknown key 'prob'; did you mean 'probe'\?"),
        ({"repeats": 3}, r"unknown key 'repeats'; it is a key of 'probe'\.$"),
        ({"probe": {"atlas": "x"}}, r"unknown key 'probe.atlas'; it is a key of the top level or "),
        ({"probe": {"repeat": 3}}, r"unknown key 'probe.repeat'; did you mean 'probe.repeats'\?"),
        (
            {"probe": {"repeats": "many"}},
            "probe.repeats is 'many', expected a whole number.",
        ),
        ({"model": {}}, r"unknown key 'model'; did you mean 'models'\?"),
        ({"datasets": {None: {"path": "x"}}}, "a key is null, .* put it in quotes: 'null'"),
        ({"atlas": None}, r"atlas is empty, expected a text \(put numbers in quotes\)\."),
        ({"atlas": 300}, "atlas is '300', expected a text"),
        ({"report": True}, "report is true, expected keys and values below it"),
        ({"report": {"participants": "maybe"}}, "is 'maybe', expected true or false"),
        ({"baselines": "fc"}, r"baselines is 'fc', expected a list, such as \[a, b\]"),
        ({"probe": {"strengths": []}}, "expected at least 1 in it"),
        ({"parcellation": {"low_pass": "fast"}}, "is 'fast', expected a number"),
        (
            {"datasets": {"a": {"path": "x", "repetition_time": [2]}}},
            r"a.repetition_time is '\[2\]', expected a number",
        ),
        ({"probe": {"seconds": [0]}}, "probe.seconds.0 is '0', expected more than 0."),
        (
            {"probe": {"seconds": [60, 5]}},
            r"probe.seconds has 5, which is 2 volumes of 2 s \(parcellation.repetition_time\); at",
        ),
        ({"atlas": "seitzman30"}, r"atlas is 'seitzman30'; did you mean 'seitzman300'\?"),
        ({"atlas": "schaefer400"}, r"did you mean 'schaefer400x7'\?$"),
        ({"atlas": "xyz"}, r"atlas is 'xyz'; known: semantoks457, seitzman300, cc200, schaefer"),
        ({"atlas": "xyz", "atlases": {"xya": OWN_ATLAS}}, r"did you mean 'xya'\?$"),
        ({"atlases": {"cc200": OWN_ATLAS}}, "atlases.cc200: that is a built-in atlas"),
        ({"atlases": {"mine": {"image": "x.nii"}}}, "'atlases.mine.table' is missing"),
        (
            {"datasets": {"demo": {"path": "x", "entities": {"acquisition": "mb"}}}},
            "datasets.demo.entities: 'acquisition' is no entity; known: ses, acq, ce, rec, dir",
        ),
        (
            {"datasets": {"demo": {"path": "x", "t1w_entities": {"task": "rest"}}}},
            "'task' is a key of the data set itself",
        ),
        (
            {"datasets": {"demo": {"path": "x", "entities": {"acq": False}}}},
            "datasets.demo.entities: acq is False; put labels in quotes, as acq: 'no'",
        ),
        (
            {"datasets": {"demo": {"path": "x", "source": "fmriprep", "entities": {"acq": "a"}}}},
            "'entities' and 't1w_entities' choose raw images",
        ),
        (
            {
                "datasets": {"demo": {"path": "x", "entities": {"echo": 2}}},
                "preprocessing": {"engine": "fmriprep"},
                "models": {},
            },
            r"datasets.demo.entities.echo is for the built-in engine; fMRIPrep combines",
        ),
        ({"atlas": "cc200"}, "minimal writes images in MNI152NLin2009aSym, the atlas cc200 is in"),
        (
            {"models": {"a": {"allow_mismatch": ["engin"]}}},
            r"models.a.allow_mismatch.0 is 'engin'; did you mean 'engine'\?",
        ),
        ({"baselines": ["fcc"]}, r"baselines.0 is 'fcc'; did you mean 'fc'\?"),
        ({"datasets": {}}, "'datasets' is empty"),
        (
            {"combined": {"tangent": ["fc", "confounds"]}},
            "combined.tangent: that is the name of another row",
        ),
        ({"combined": {"mine": ["fc", "fc"]}}, "mine has fc, fc, but needs two or more different"),
        ({"representations": {"fc": {"path": "a.tsv"}}}, "representations.fc: that is the name of"),
        (
            {"representations": {"a": {"path": "a.tsv"}}, "models": {"a": {}}},
            "representations.a: that is the name of a baseline or a model",
        ),
        ({"representations": {"b": {}}}, "needs either `path` or `encoder`"),
        (
            {"representations": {"b": {"path": "a.tsv", "encoder": "c"}}},
            "needs either `path` or `encoder`",
        ),
        ({"representations": {"b": {"encoder": "c", "ids": "d"}}}, "`ids` belongs to `path`"),
        (
            {"representations": {"b": {"path": "a.tsv"}}, "combined": {"b": ["fc", "confounds"]}},
            "combined.b: that is the name of another row",
        ),
        ({"combined": {"mine": []}}, "combined.mine has no representation, but needs two or more"),
        (
            {"combined": {"mine": ["fc", "chance"]}},
            "combined.mine names 'chance', which is no baseline, no embedding and none of ",
        ),
        (
            {
                "combined": {"mine": ["fc", "a-network"]},
                "models": {"a": {"readouts": ["networks"]}},
            },
            r"names 'a-network', .*did you mean 'a-networks'\?",
        ),
        (
            {
                "combined": {"mine": ["fc", "confounds"]},
                "baselines": ["fc", "confounds"],
                "probe": {"protocol": "paper"},
            },
            "combined sums kernels, which probe.protocol: paper cannot",
        ),
        ({"models": {"fc": {}}}, "models.fc: that is the name of a baseline"),
        ({"parcellation": {"low_pass": 0.4}}, r"0.01 to 0.4 Hz must rise and end below 0.25 Hz"),
        ({"probe": {"strengths": [0]}}, "probe.strengths.0 is '0'"),
        ({"datasets": {"demo": {"path": "x", "phenotypes": {"a/b": "regression"}}}}, "'a/b'"),
        ({"datasets": {"my.data": {"path": "x"}}}, "the name 'my.data' must start with a letter"),
        (
            {"datasets": {"x" * 101: {"path": "x"}}},
            "has more than 100 characters",
        ),
        ({"datasets": {"demo": {}}}, "needs either 'path' or 'simulate'"),
        (
            {"models": {"small": {"datasets": ["dmo"]}}},
            r"names 'dmo', which is not among the data sets \(demo\)",
        ),
        (
            {"models": {"a": {"architecture": {"tokenizer": {"scales": 30_000}}}}},
            "scales is '30000', expected at most 20",
        ),
        (
            {"models": {"a": {"architecture": {"patch": 7}}}},
            r"models.a.architecture: window \(100\) must be a multiple of patch",
        ),
        (
            {
                "atlas": "cc200",
                "datasets": {"demo": {"source": "timeseries", "simulate": {}}},
            },
            "datasets.demo.simulate makes time series of the atlas seitzman300, not of cc200",
        ),
        (
            {"datasets": {"demo": {"path": "x", "events": {"delays": 4}}}},
            "unknown key 'datasets.demo.events.delays'; did you mean",
        ),
        (
            {"datasets": {"demo": {"path": "x", "events": {"files": {"a": "ev1.txt"}}}}},
            "the file of 'a', 'ev1.txt', must have {participant}, may have {session}",
        ),
        (
            {"datasets": {"demo": {"path": "x", "events": {"files": {"a": "/{participant}/ev1"}}}}},
            "must stay in the folder of the data set",
        ),
        (
            {
                "datasets": {
                    "demo": {
                        "path": "x",
                        "events": {"files": {"a": "{participant}"}, "include": {"side": [1]}},
                    }
                }
            },
            "'include' names the column 'side', but timing files have onset, duration, trial_type",
        ),
        (
            {"datasets": {"demo": {"path": "x", "events": {"include": {"trial_type": []}}}}},
            "'include.trial_type' lists no value",
        ),
        ({"datasets": {"demo": {"simulate": {}, "events": {}}}}, "'events' needs a `path`"),
        (
            {
                "datasets": {"demo": {"path": "x", "phenotypes": {"age": "regression"}}},
                "baselines": ["mean_activity"],
            },
            "baselines has mean_activity, but datasets.demo has no 'events'",
        ),
        (
            {"models": {"a": {"checkpoint": "mine", "training": {"epochs": 5}}}},
            "models.a: a model with a `checkpoint` is not trained, so `training` has no effect",
        ),
        (
            {"models": {"a": {"checkpoint": "mine", "connectome": {"components": 5}}}},
            "models.a: a model with a `checkpoint` is not trained, so `connectome` has no effect",
        ),
        ({"models": {"a": {"blocks": []}}}, "models.a.blocks is .*expected at least 1 in it"),
        (
            {"models": {"a": {"blocks": ["spectrum", "networks", "spectrum"]}}},
            "models.a: blocks has spectrum twice",
        ),
        (
            {"models": {"a": {"readouts": ["distilled"], "training": {"epochs": 0}}}},
            "models.a: readouts has distilled, which is learned, but training.epochs is 0",
        ),
        (
            {
                "models": {
                    "a": {"readouts": ["full"], "blocks": ["distilled"], "training": {"epochs": 0}}
                }
            },
            "models.a: blocks has distilled, which is learned",
        ),
        (
            {"probe": {"harmonize": "combat"}},
            "probe.harmonize is combat, but datasets.demo has no 'site_column'; name the column",
        ),
        (
            {"probe": {"harmonize": "combat", "protocol": "paper"}, "baselines": ["fc"]},
            "probe.protocol is paper, which scores windows as they are, but probe.harmonize",
        ),
        (
            {"models": {"a": {"recentre": "site"}}},
            "models.a.recentre is site, but datasets.demo has no 'site_column'",
        ),
        (
            {"models": {"tiny": {}}, "finetune": {"models": ["tinny"]}},
            r"finetune.models names 'tinny', .* among the models; did you mean 'tiny'\?",
        ),
        (
            {"models": {"a": {}}, "finetune": {"models": ["a", "a"]}},
            "finetune.models names a model twice",
        ),
        (
            {
                "models": {"a": {}},
                "finetune": {"models": ["a"]},
                "probe": {"confounds": "residualise"},
            },
            "probe.confounds is residualise, but finetune.models trains encoders on time series",
        ),
        (
            {
                "datasets": {"demo": {"path": "d", "site_column": "site"}},
                "models": {"a": {}},
                "finetune": {"models": ["a"]},
                "probe": {"harmonize": "combat"},
            },
            "probe.harmonize is combat, but finetune.models trains encoders on time series",
        ),
        (
            {"finetune": {"layer_decay": 1.5}},
            "finetune.layer_decay is '1.5', expected at most 1",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check(**changes)


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong: dict[str, Any] = {"atlass": "cc200", "probe": {"repeats": "many"}}
    with pytest.raises(UserError, match="^config.yaml: 2 mistakes: ") as caught:
        check(**wrong)
    assert "(1) unknown key 'atlass'; did you mean 'atlases' or 'atlas'?" in str(caught.value)
    assert "(2) probe.repeats is 'many', expected a whole number." in str(caught.value)
    # A value that may be of several kinds is a single mistake.
    with pytest.raises(UserError) as caught:
        check(datasets={"demo": {"path": "x", "repetition_time": [2]}})
    assert "mistakes" not in str(caught.value)
    with pytest.raises(UserError, match=r"8 mistakes: .* And 3 more\.$"):
        check(probe={f"unknown{n}": 1 for n in range(8)})


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UserError, match="'datasets' is missing"):
        complete({}, "config.yaml")


def test_defaults_are_filled_at_every_depth() -> None:
    filled = check(
        models={"small": {"architecture": {"tokenizer": {"dense_channels": 64}}}},
        datasets={"demo": {"simulate": {"participants": 6}}},
    )
    assert filled["models"]["small"]["architecture"]["tokenizer"]["structured_channels"] == 384
    assert filled["datasets"]["demo"]["simulate"]["seconds"] == 240
    assert filled["datasets"]["demo"]["path"] is None
    assert complete(filled, "again") == filled


def test_a_table_is_enough_of_an_atlas_for_time_series_only() -> None:
    atlases = {"mine": {"table": "x.tsv"}}
    series = {"path": "x", "source": "timeseries", "variable": "ts"}
    demo = CONFIG["datasets"]["demo"]
    check(atlas="mine", atlases=atlases, datasets={"demo": demo | series})
    check(atlases=atlases)  # not in use
    for dataset in (demo, {"path": "x", "source": "fmriprep"}):
        with pytest.raises(UserError, match=r"atlases.mine has no 'image', and datasets.b needs"):
            check(atlas="mine", atlases=atlases, datasets={"demo": demo | series, "b": dataset})
    with pytest.raises(UserError, match="'space' is missing; name the template space"):
        check(atlases={"mine": {"table": "x.tsv", "image": "x.nii"}})
    with pytest.raises(UserError, match="'variable' goes with `source: timeseries`"):
        check(datasets={"demo": demo | {"variable": "ts"}})


@pytest.mark.parametrize("key", ["values", "include"])
def test_yes_and_no_without_quotes_are_a_sentence(key: str) -> None:
    values = {True: "ill", False: "well"} if key == "values" else {"dx": {"values": [True]}}
    phenotype = {"kind": "classification", key: values}
    with pytest.raises(UserError, match="YAML makes of yes, on or true; put the value into quotes"):
        check(datasets={"a": {"path": "x", "phenotypes": {"dx": phenotype}}}, models={})


def test_codes_for_missing_values_may_be_numbers() -> None:
    dataset = {"path": "x", "missing_values": [-9, "none"]}
    assert check(datasets={"demo": dataset})["datasets"]["demo"]["missing_values"] == ["-9", "none"]


def test_aliases_that_multiply_and_long_values_are_cut() -> None:
    bomb: list[Any] = ["x"] * 10
    for _ in range(9):
        bomb = [bomb] * 10
    with pytest.raises(UserError, match=r"has more than 1,000,000 values"):
        check(atlas=bomb)
    with pytest.raises(UserError, match="atlas") as caught:
        check(atlas=["y" * 100_000])
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"bins": 3, "edges": [1, 2]}, "give either 'bins' or 'edges'"),
        ({"values": {"1": "a"}, "edges": [1]}, "give either 'values' or 'edges'"),
        ({"values": {"1": "a"}, "bins": 2}, "give either 'values' or 'bins'"),
        ({"edges": [2, 1]}, "'edges' must ascend"),
        ({"edges": [1, 1]}, "'edges' must ascend"),
        ({"edges": []}, "expected at least 1 in it"),
        ({"edges": [1, float("inf")]}, "finite"),
        ({"cut": "once"}, "needs 'bins'"),
        ({"cut": "once", "edges": [1]}, "needs 'bins'"),
        ({"bins": 2, "match": ["age"]}, "same in all splits"),
        ({"kind": "regression", "edges": [1]}, "'edges' needs `kind: classification`"),
        ({"kind": "regression", "match": ["age"]}, "same in all splits"),
    ],
)
def test_classes_of_numbers_come_from_one_key(keys: dict[str, Any], message: str) -> None:
    phenotype = {"kind": "classification"} | keys
    with pytest.raises(UserError, match=message):
        check(datasets={"a": {"path": "x", "phenotypes": {"dx": phenotype}}}, models={})


@pytest.mark.parametrize(
    "keys",
    [
        {"edges": [-1.5, 0, 40], "stratified": False},
        {"bins": 5, "cut": "once", "match": ["sex"]},
        {"edges": [40], "match": ["sex"]},
        {"match": []},
    ],
)
def test_classes_of_numbers_may_be_fixed(keys: dict[str, Any]) -> None:
    phenotype = {"kind": "classification"} | keys
    check(datasets={"a": {"path": "x", "phenotypes": {"dx": phenotype}}}, models={})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probe": {"protocol": "paper"}}, "baselines has tangent"),
        (
            {
                "probe": {"protocol": "paper"},
                "baselines": ["fc"],
                "models": {"small": {"readouts": ["pooled", "full"]}},
            },
            "models.small.readouts has full, which is of a whole scan",
        ),
        (
            {"probe": {"protocol": "both", "confounds": "residualise"}},
            "probe.protocol is both, .* probe.confounds regresses them out",
        ),
        (
            {
                "probe": {"protocol": "both"},
                "datasets": {
                    "demo": {
                        "path": "x",
                        "phenotypes": {"dx": {"kind": "classification", "validation_people": 0}},
                    }
                },
            },
            "phenotypes.dx.validation_people is 0",
        ),
    ],
)
def test_the_papers_head_has_its_limits(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check(**changes)


def test_both_protocols_leave_all_baselines() -> None:
    check(probe={"protocol": "both"}, baselines=["fc", "tangent", "coskewness"])
