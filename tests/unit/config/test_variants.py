"""Variants are whole configurations, checked as such; each of their keys must matter."""

from __future__ import annotations

from typing import Any

import pytest

from semantoks.config import Config
from semantoks.config.variants import changed_part, read_variants
from semantoks.errors import UserError

CONTENT: dict[str, Any] = {
    "datasets": {"toy": {"path": "d", "source": "timeseries", "phenotypes": {"x": "regression"}}},
    "parcellation": {"low_pass": 0.08, "high_pass": 0.01},
    "models": {"small": {"architecture": {"depth": 2}}},
    "baselines": ["fc"],
}


def read(**variants: Any) -> dict[str, Config]:
    content = CONTENT | {"variants": variants}
    return read_variants(content, Config.model_validate(content), "mine.yaml")


def test_a_variant_replaces_keys_at_any_depth() -> None:
    deep = read(deep={"models": {"small": {"architecture": {"depth": 4}}}})["deep"]
    expected = CONTENT | {"models": {"small": {"architecture": {"depth": 4}}}}
    assert deep == Config.model_validate(expected)
    both = read(a={"parcellation": {"low_pass": 0.1}, "atlas": "cc200"})["a"]
    assert (both.parcellation.low_pass, both.parcellation.high_pass) == (0.1, 0.01)
    assert both.atlas == "cc200" and both.variants == {}


def test_without_variants_there_are_none() -> None:
    assert read_variants(CONTENT, Config.model_validate(CONTENT), "mine.yaml") == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parcelation": {}}, r"mine.yaml, variants.a: unknown key 'parcelation'; did you mean "),
        (
            {"models": {"small": {"architecture": {"dept": 1}}}},
            "unknown key 'models.small.architecture.dept'; did you mean 'models.small.arch",
        ),
        ({}, "mine.yaml, variants.a changes nothing. Give it a key with another value"),
        (
            {"parcellation": {"low_pass": 0.08, "high_pass": 0.02}},
            "variants.a changes nothing by parcellation.low_pass, which has this value in the main",
        ),
        ({"atlas": "seitzman300"}, "changes nothing by atlas"),
        ({"baselines": ["fc_gsr"]}, "variants.a has 'baselines', which is the same in all"),
        ({"variants": {}}, "has 'variants'"),
        ({"models": {"small": {"readouts": ["networks"]}}}, "changes the names or readouts of mod"),
        ({"datasets": {"other": {"path": "e"}}}, "changes the names of data sets"),
        ({"probe": {"protocol": "both"}}, "changes the protocol"),
        ({"representations": {"mine": {"path": "x.tsv"}}}, "changes the names or kinds of repr"),
        ({"finetune": {"models": ["small"]}}, "changes the fine-tuned models"),
        (
            {"atlas": "mine", "atlases": {"mine": {"table": "t.tsv"}}},
            "the atlas mine is a table of regions without an image, and seitzman300 has one",
        ),
        ({"parcellation": {"low_pass": "x"}}, "variants.a: parcellation.low_pass is 'x'"),
    ],
)
def test_what_cannot_be_a_variant_is_one_sentence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        read(a=changes)
    assert "\n" not in str(error.value)


def test_an_atlas_means_the_same_everywhere() -> None:
    files = {"image": "a.nii", "table": "a.tsv", "space": "MNI152NLin6Asym"}
    first = {"atlas": "mine", "atlases": {"mine": files}}
    second = {"atlas": "mine", "atlases": {"mine": files | {"table": "b.tsv"}}}
    assert read(first=first)["first"].atlas == "mine"
    with pytest.raises(UserError, match="atlases.mine is different in two variants"):
        read(first=first, second=second)


def test_only_data_sets_that_may_differ_are_checked_again() -> None:
    main = Config.model_validate(CONTENT)
    variants = read(
        narrow={"parcellation": {"low_pass": 0.1}},
        elsewhere={"datasets": {"toy": {"path": "e"}}},
        folds={"probe": {"inner_folds": 3}},
    )
    checked = {name: [*changed_part(main, variants[name]).datasets] for name in variants}
    assert checked == {"narrow": [], "elsewhere": ["toy"], "folds": ["toy"]}


def test_a_variant_may_harmonise_beside_fine_tuned_rows() -> None:
    """The main analysis may not: its rows would not be compared on the same terms."""
    toy = CONTENT["datasets"]["toy"] | {"site_column": "site"}
    content = CONTENT | {"datasets": {"toy": toy}, "finetune": {"models": ["small"]}}
    changes: dict[str, Any] = {"probe": {"harmonize": "combat"}}
    main = Config.model_validate(content | {"variants": {"combat": changes}})
    variants = read_variants(content, main, "mine.yaml")
    assert variants["combat"].probe.harmonize == "combat"
    with pytest.raises(ValueError, match="which are not harmonised, so the rows could not be"):
        Config.model_validate(content | changes)
