import pandas as pd

from semantoks.scores.represent.covariates import covariate_features


def test_columns_are_recognised_and_values_encoded() -> None:
    scans = pd.DataFrame({"participant_id": ["a", "b", "a"], "mean_fd": 0.1, "seconds": 300.0})
    participants = pd.DataFrame(
        {"participant_id": ["b", "a"], "Age": ["89+", "30"], "SITE_ID": [4, 0], "mean_fd": 9.0}
    )
    features, names = covariate_features(scans, participants)
    assert names == ["age", "mean_fd", "seconds", "site=0", "site=4"]
    assert features.tolist() == [[30, 0.1, 300, 1, 0], [89, 0.1, 300, 0, 1], [30, 0.1, 300, 1, 0]]
    without_motion, _ = covariate_features(scans.drop(columns="mean_fd"), participants)
    assert without_motion[:, 1].tolist() == [9, 9, 9]
    assert "site=30" in covariate_features(scans, participants, site_column="Age")[1]
