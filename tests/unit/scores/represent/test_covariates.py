import pandas as pd
import pytest

from semantoks.errors import UserError
from semantoks.scores.represent.covariates import confound_sources, covariate_features


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
    assert "site=30" in covariate_features(scans, participants, named={"site": "Age"})[1]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"sex": ["M", "F", "m"]}, "'M' .* and 'm'"),
        ({"age": [30, 31, -9999]}, "missing_values"),
        ({"age": ["30", "31,5", "32"]}, "must be numeric, but holds '31,5'"),
        ({"age": [30, 31, 32], "Age": [1, 2, 3]}, "columns age and Age"),
    ],
)
def test_confounds_of_an_untidy_table_are_refused(
    columns: dict[str, list[object]], message: str
) -> None:
    ids = ["a", "b", "c"]
    scans = pd.DataFrame({"participant_id": ids, "seconds": [300.0] * 3})
    with pytest.raises(UserError, match=message):
        covariate_features(scans, pd.DataFrame({"participant_id": ids} | columns))


def test_a_range_of_ages_counts_as_its_middle() -> None:
    scans = pd.DataFrame({"participant_id": ["a", "b", "c", "d"]})
    participants = pd.DataFrame(
        {"participant_id": ["a", "b", "c", "d"], "age": ["22-25", "26 - 30", "36+", "41"]}
    )
    features, names = covariate_features(scans, participants)
    assert names == ["age"] and features[:, 0].tolist() == [23.5, 28, 36, 41]


def test_ages_without_a_number_are_no_confound(caplog: pytest.LogCaptureFixture) -> None:
    scans = pd.DataFrame({"participant_id": ["a", "b"], "seconds": [300.0] * 2})
    participants = pd.DataFrame({"participant_id": ["a", "b"], "age": ["25Y", "034 years"]})
    with caplog.at_level("WARNING"):
        names = covariate_features(scans, participants)[1]
    assert names == ["seconds"] and "25Y" in caplog.text


def test_common_other_names_of_age_and_sex_are_recognised() -> None:
    scans = pd.DataFrame({"participant_id": ["a", "b"]})
    participants = pd.DataFrame(
        {"participant_id": ["a", "b"], "interview_age": [120, 130], "Gender": ["F", "M"]}
    )
    assert covariate_features(scans, participants)[1] == ["age", "sex=F", "sex=M"]


def test_names_of_data_holders_are_recognised_and_others_can_be_named() -> None:
    ids = ["a", "b", "c", "d"]
    scans = pd.DataFrame({"participant_id": ids})
    biobank = {"p21003_i2": [50, 60, 70, 50], "p31": ["Male", "Female"] * 2, "p54_i2": [1, 2] * 2}
    table = pd.DataFrame({"participant_id": ids} | biobank | {"25741-2.0": [0.1, 0.2] * 2})
    names = ["age", "mean_fd", "sex=Female", "sex=Male", "site=1", "site=2"]
    assert covariate_features(scans, table)[1] == names
    hbn = {"Basic_Demos,Age": [8, 9] * 2, "Basic_Demos,Sex": [0, 1] * 2, "func_mean_fd": [1, 2] * 2}
    table = pd.DataFrame({"participant_id": ids} | hbn | {"Years": [11, 12] * 2})
    features, names = covariate_features(scans, table, {"age": ["years", "Years"]})
    assert names == ["age", "mean_fd", "sex=0", "sex=1"] and features[0, 0] == 11
    sources = confound_sources(names, scans, table, {"age": ["years", "Years"]})
    assert sources == {
        "age": "Years",
        "mean_fd": "func_mean_fd",
        "seconds": None,
        "sex": "Basic_Demos,Sex",
        "site": None,
    }
    # Of several names none need be there; the usual ones still count.
    sources = confound_sources(names, scans, table, {"mean_fd": ["x", "y"]})
    assert sources["mean_fd"] == "func_mean_fd"
    with pytest.raises(UserError, match=r"no column 'x' \(motion_column\)"):
        covariate_features(scans, table, {"mean_fd": "x"})
