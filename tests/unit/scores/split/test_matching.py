from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.errors import UserError
from semantoks.scores.split.matching import CALIPER, match


def test_matched_classes_have_similar_covariates() -> None:
    rng = np.random.default_rng(0)
    is_patient = np.arange(200) < 60
    index = [f"sub-{i:03d}" for i in range(200)]
    table = pd.DataFrame({"participant_id": index, "age": rng.normal(30 + 8 * is_patient, 6)})
    table["sex"] = rng.choice(["F", "M"], 200)
    target = pd.Series(np.where(is_patient, "patient", "control"), index)
    matched = match(target, table, ["age", "sex"], "dx")
    assert match(target, table, [["AGE_AT_SCAN", "age"], "sex"], "dx").equals(matched)
    covariates = table.set_index("participant_id").loc[matched.index]
    assert matched.value_counts()["patient"] == matched.value_counts()["control"] > 30
    ages = covariates["age"].groupby(matched).mean()
    assert abs(ages["patient"] - ages["control"]) < 1
    sexes = covariates.groupby(matched)["sex"].value_counts().unstack()
    assert sexes.nunique().tolist() == [1, 1]


def test_matching_needs_two_classes_and_similar_participants() -> None:
    table = pd.DataFrame({"participant_id": list("abc"), "age": [20, 40, 60], "sex": list("FFM")})
    with pytest.raises(UserError, match="has 3 classes, but `splits.match` needs two"):
        match(pd.Series(["x", "y", "z"], list("abc")), table, ["age"], "dx")
    with pytest.raises(UserError, match="no column 'iq' to match on"):
        match(pd.Series(["x", "x", "y"], list("abc")), table, ["iq"], "dx")
    with pytest.raises(UserError, match="no two participants .* are similar in age, sex"):
        match(pd.Series(["x", "x", "y"], list("abc")), table, ["age", "sex"], "dx")


def match_by_exhaustive_search(
    target: pd.Series, table: pd.DataFrame, columns: list[str]
) -> set[str]:
    """Greedy matching as `match` documents it, with every distance computed, in O(n²)."""
    larger, smaller = target.value_counts().index
    table = table.set_index("participant_id").loc[target.index, columns].dropna()
    numeric = [name for name in columns if pd.api.types.is_numeric_dtype(table[name])]
    points = ((table[numeric] - table[numeric].mean()) / table[numeric].std()).fillna(0)
    text = {name: tuple(map(str, row)) for name, *row in table.drop(columns=numeric).itertuples()}
    free = sorted(name for name in table.index if target[name] == larger)
    matched = set[str]()
    for name in table.index:
        candidates = [other for other in free if text[other] == text[name]]
        if target[name] != smaller or not candidates:
            continue
        differences = points.loc[candidates].to_numpy() - points.loc[name].to_numpy()
        distances = np.sqrt((differences**2).sum(axis=1))
        if distances.min() <= CALIPER:
            partner = candidates[int(distances.argmin())]  # of equal distances the first
            free.remove(partner)
            matched |= {name, partner}
    return matched


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("columns", [["age"], ["age", "motion", "sex"], ["sex", "site"]])
def test_pairs_are_those_of_an_exhaustive_search(columns: list[str], seed: int) -> None:
    """With continuous covariates, and with integers, many of which are at equal distances."""
    rng = np.random.default_rng(seed)
    names = sorted(f"sub-{i}" for i in rng.permutation(1000)[:150])
    table = pd.DataFrame({"participant_id": rng.permutation(names)})
    table["age"] = rng.normal(40, 10, 150) if seed % 2 else rng.integers(20, 60, 150)
    table["motion"] = rng.gamma(2, 0.1, 150) if seed % 3 else rng.integers(0, 5, 150)
    table.loc[rng.random(150) < 0.05, "motion"] = np.nan
    table["sex"], table["site"] = rng.choice(["F", "M"], 150), rng.choice(list("abc"), 150)
    target = pd.Series(np.where(rng.random(150) < 0.3 + 0.03 * seed, "patient", "control"), names)
    matched = match(target, table, columns, "dx")
    assert set(matched.index) == match_by_exhaustive_search(target, table, columns)


def test_forty_thousand_participants_are_matched() -> None:
    """Takes a second with the k-d tree; an exhaustive search would take an hour."""
    rng = np.random.default_rng(0)
    is_patient = rng.random(40_000) < 0.45
    names = [f"sub-{i:05d}" for i in range(40_000)]
    table = pd.DataFrame({"participant_id": names, "age": rng.normal(50 + 15 * is_patient, 10)})
    table["sex"] = rng.choice(["F", "M"], 40_000)
    target = pd.Series(np.where(is_patient, "patient", "control"), names)
    counts = match(target, table, ["age", "sex"], "dx").value_counts()
    assert counts["patient"] == counts["control"] > 5_000


def test_text_columns_are_compared_one_by_one() -> None:
    ids = [f"s{i}" for i in range(4)]
    table = pd.DataFrame(
        {"participant_id": ids, "x": ["a|b", "a", "q", "q"], "y": ["c", "b|c", "r", "r"]}
    )
    target = pd.Series(["p", "c", "p", "c"], index=ids)
    assert match(target, table, ["x", "y"], "dx").index.tolist() == ["s2", "s3"]


@pytest.mark.parametrize(
    ("column", "named"),
    [("SITE_ID", None), ("sex", {}), ("centre", {"site": ["scanner", "centre"]})],
)
def test_codes_of_sites_and_sexes_must_be_equal(column: str, named: Any) -> None:
    """Neighbouring numbers are no neighbouring sites; one site has both classes here."""
    codes = np.repeat(np.arange(20.0), 10)
    index = [f"sub-{i:03d}" for i in range(200)]
    target = pd.Series(np.where(codes % 2 == 0, "patient", "control"), index)
    target.iloc[:4] = "control"
    table = pd.DataFrame({"participant_id": index, column: codes})
    table.loc[10, column] = np.nan
    matched = match(target, table, [column], "dx", named=named)
    assert set(matched.index) == {*index[:4], *index[4:8]}
    assert len(match(target, table.rename(columns={column: "iq"}), ["iq"], "dx")) > 100
