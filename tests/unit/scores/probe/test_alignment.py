from __future__ import annotations

import numpy as np
import pytest

from semantoks.artifacts.representations import ParticipantFeatures
from semantoks.errors import UserError
from semantoks.scores.probe.alignment import align, drop_features, features_of
from semantoks.scores.target_features import target_features


def test_the_phenotype_is_not_among_its_own_predictors() -> None:
    people = ParticipantFeatures(["a"], np.arange(4.0)[None], ["age", "mean_fd", "sex=F", "sex=M"])

    def remaining(people: ParticipantFeatures, *target: str) -> list[str]:
        return drop_features(people, target_features(*target)).names

    assert remaining(people, "sex") == ["age", "mean_fd"]
    assert drop_features(people, target_features("sex")).features_PF.tolist() == [[0, 1]]
    assert remaining(people, "gender", "SEX") == ["age", "mean_fd"]
    site = ParticipantFeatures(["a"], np.arange(2.0)[None], ["age", "site=A"])
    assert remaining(site, "place", "site_id") == ["age"]
    for phenotype, left in (("center", ["age"]), ("dx", ["age", "site=A"])):
        names = target_features(phenotype, phenotype, {"site": ["centre", "center"]})
        assert drop_features(site, names).names == left
    assert remaining(people, "biological", "p31") == ["age", "mean_fd"]
    assert remaining(site, "Age_at_scan") == remaining(site, "interview_age") == ["site=A"]
    assert remaining(people, "Gender") == ["age", "mean_fd"]


def test_rows_are_aligned_with_the_participants_of_the_problem() -> None:
    people = ParticipantFeatures(["a", "b", "c"], np.arange(3.0)[:, None], [])
    assert align(people, ["c", "a"]).tolist() == [[2], [0]]
    with pytest.raises(UserError, match=r"lacks 2 participants of the splits \(x, …\)"):
        align(people, ["a", "x", "y"])


def test_confounds_are_regressed_out_of_unnamed_features_only() -> None:
    rows = np.arange(6.0).reshape(3, 2)
    embedding = ParticipantFeatures(["a", "b", "c"], rows, [], "tangent")
    covariates = ParticipantFeatures(["a", "b", "c"], rows, ["age", "sex=F"])
    chance = ParticipantFeatures(["a", "b", "c"], np.empty((3, 0)), [])
    ids = ["a", "c"]
    in_blocks = ParticipantFeatures(["a", "b", "c"], rows, [], "", (("x", 1), ("y", 1)))
    (blocks,) = features_of([in_blocks], None, ids, {"sex"})
    assert blocks.blocks == (("x", 1), ("y", 1))
    cleaned, named, empty = features_of([embedding, covariates, chance], covariates, ids, {"sex"})
    assert cleaned.projection == "tangent"
    assert cleaned.confounds_PC is not None
    assert cleaned.confounds_PC.tolist() == [[0], [4]]  # age alone
    assert named.confounds_PC is None
    assert empty.confounds_PC is None
    (plain,) = features_of([embedding], None, ids, {"sex"})
    assert plain.confounds_PC is None


def test_confounds_are_regressed_out_of_features_with_names_but_not_of_themselves() -> None:
    """Columns of a table are features with names, as those of confounds are."""
    rng = np.random.default_rng(0)
    ids = [f"{number:02d}" for number in range(12)]
    ages = ParticipantFeatures(ids, rng.normal(40, 10, (12, 1)), ["age"])
    table = ParticipantFeatures(ids, ages.features_PF + rng.normal(size=(12, 2)), ["x", "y"])
    of_table, of_ages = features_of([table, ages], ages, ids, ())
    np.testing.assert_array_equal(of_table.confounds_PC, ages.features_PF)
    assert of_ages.confounds_PC is None
