"""Scores as a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from semantoks.config import Report
from tests.unit.report.conftest import write_page


def test_every_score_of_the_page_is_a_row(results: Path) -> None:
    write_page(results, Report())
    table = pd.read_csv(results / "scores.tsv", sep="\t", na_values="n/a")
    assert set(table["phenotype"]) == {"group", "trait"}
    rows = table.groupby(["phenotype", "scheme"])["representation"].apply(list)
    assert all(names == ["fc", "confounds", "chance"] for names in rows)
    plain = table[table["representation"] == "fc"]
    assert plain["difference_from_baseline"].isna().all()
    compared = table[table["representation"] == "confounds"]
    assert set(compared["baseline"]) == {"fc"} and plain["baseline"].isna().all()
    # Two phenotypes were compared, of which one has too few test participants.
    compared = compared[compared["p_difference"].notna()]
    assert len(compared) and (compared["p_holm"] >= compared["p_difference"]).all()
    assert set(plain["verdict"]) == {"baseline"}
    # Random splits are permuted, sites left out are not; a score that is not known has no p.
    is_tested = (plain["scheme"] == "random") & plain["mean"].notna()
    assert is_tested.any() and (plain["p_permutation"].notna() == is_tested).all()
    # Five test participants are too few for a correlation.
    assert table.loc[table["scheme"] == "random", "mean"].isna().sum() == 3
    is_known = table["mean"].notna()
    assert table.loc[~is_known, "remark"].str.contains("not computed|fewer than|no features").all()
    table = table[table["low"].notna()]
    assert ((table["low"] <= table["mean"]) & (table["mean"] <= table["high"])).all()
