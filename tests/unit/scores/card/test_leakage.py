import pandas as pd

from semantoks.scores.card.leakage import covariates_of_participants


def test_covariates_are_averaged_over_the_scans_of_a_participant() -> None:
    scans = pd.DataFrame({"participant_id": ["b", "a", "b"], "mean_fd": [0.1, 0.5, 0.3]})
    participants = pd.DataFrame({"participant_id": ["a", "b"], "sex": ["F", "M"], "age": [20, 30]})
    table = covariates_of_participants(scans, participants, None)
    assert table["mean_fd"].round(6).to_dict() == {"a": 0.5, "b": 0.2}
    assert table["sex"].to_dict() == {"a": "F", "b": "M"}
    assert table.index.tolist() == ["a", "b"]
