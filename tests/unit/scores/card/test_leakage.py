import numpy as np
import pandas as pd

from semantoks.artifacts.representations import ParticipantFeatures
from semantoks.config import CardProbe
from semantoks.scores.card.leakage import score_leakage
from semantoks.scores.represent.covariates import covariates_of_participants


def leakage_of(participants: int) -> dict[str, tuple[float, float, float]]:
    """Mean and interval of two covariates that features hold up to a little noise."""
    rng = np.random.default_rng(0)
    ids = [f"sub-{row:03d}" for row in range(participants)]
    values = rng.standard_normal((participants, 3))
    covariates = pd.DataFrame(
        {"sex": np.where(values[:, 0] > 0, "F", "M"), "age": values[:, 1]}, index=ids
    )
    values += 0.3 * rng.standard_normal(values.shape)
    features = ParticipantFeatures(participant_id=ids, features_PF=values, fitted="", names=[])
    families = pd.Series(None, index=ids, dtype=object)
    rows = score_leakage(features, covariates, families, CardProbe(inner_folds=3))
    return {row.what: (row.mean, row.low, row.high) for row in rows}


def test_intervals_stay_within_the_range_of_the_metric() -> None:
    mean, _, high = leakage_of(60)["sex"]
    assert mean > 0.8 and high <= 1


def test_covariates_of_few_test_participants_are_not_scored() -> None:
    assert leakage_of(19) == {}
    assert leakage_of(20).keys() == {"age"}  # too few of a sex would be left to train on
    assert leakage_of(60)["age"][0] > 0.8


def test_covariates_are_averaged_over_the_scans_of_a_participant() -> None:
    scans = pd.DataFrame({"participant_id": ["b", "a", "b"], "mean_fd": [0.1, 0.5, 0.3]})
    participants = pd.DataFrame({"participant_id": ["a", "b"], "sex": ["F", "M"], "age": [20, 30]})
    table = covariates_of_participants(scans, participants, None)
    assert table["mean_fd"].round(6).to_dict() == {"a": 0.5, "b": 0.2}
    assert table["sex"].to_dict() == {"a": "F", "b": "M"}
    assert table.index.tolist() == ["a", "b"]
