from semantoks.report.page import p_text, score_text


def test_numbers_have_three_decimals_and_a_minus_sign() -> None:
    assert score_text(-0.12345) == "−0.123"
    assert score_text(float("nan")) == "–"
    assert [p_text(p) for p in (0.0001, 0.04, float("nan"))] == ["< 0.001", "0.040", "–"]
