import numpy as np
import pytest

from semantoks.config import Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import TEST, TRAIN, VALIDATION
from semantoks.scores.split.schemes.stratified import REPEATS
from tests.unit.scores.split.conftest import CLASSIFICATION, REGRESSION, participants_table


def test_classes_are_stratified_in_every_split() -> None:
    splits = draw(participants_table(["a"] * 60 + ["b"] * 20), CLASSIFICATION, Splitting())
    assert [split.scheme for split in splits] == ["random"] * REPEATS
    for split in splits:
        assert (split.is_test[:60].sum(), split.is_test[60:].sum()) == (12, 4)
        assert (split.codes == VALIDATION).sum() == 16
        assert (split.codes == TRAIN).sum() == 48


def test_validation_participants_are_stratified_too() -> None:
    splits = draw(participants_table(["a"] * 30 + ["b"] * 10), CLASSIFICATION, Splitting())
    for split in splits:
        is_validation = split.codes == VALIDATION
        assert (is_validation[:30].sum(), is_validation[30:].sum()) == (6, 2)


def test_a_continuous_target_is_stratified_by_quantiles() -> None:
    for split in draw(participants_table(list(np.arange(60.0))), REGRESSION, Splitting()):
        assert np.bincount(np.flatnonzero(split.is_test) // 15).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(("people", "tested"), [(60, 12), (40, 10), (20, 10), (19, 4)])
def test_enough_are_tested_for_a_correlation(people: int, tested: int) -> None:
    splits = draw(participants_table(list(np.arange(float(people)))), REGRESSION, Splitting())
    assert {split.is_test.sum() for split in splits} == {tested}


@pytest.mark.parametrize(
    ("sizes", "tested"), [((12, 12), 10), ((14, 8), 5), ((9, 9), 4), ((40, 12), 11)]
)
def test_enough_are_tested_to_compare_classes_if_enough_are_left(
    sizes: tuple[int, int], tested: int
) -> None:
    target = ["a"] * sizes[0] + ["b"] * sizes[1]
    splits = draw(participants_table(target), CLASSIFICATION, Splitting())
    assert {split.is_test.sum() for split in splits} == {tested}


def test_a_regression_target_may_have_many_equal_values() -> None:
    table = participants_table([28.0] + [29.0] * 16 + [30.0] * 23)
    splits = draw(table, REGRESSION, Splitting())
    assert {split.is_test.sum() for split in splits} == {10}


def test_there_are_no_more_quantile_bins_than_test_participants() -> None:
    for split in draw(participants_table(list(np.arange(10.0))), REGRESSION, Splitting()):
        assert (np.flatnonzero(split.is_test) < 5).sum() == 1


def test_part_sizes_of_a_publication_are_used() -> None:
    phenotype = Phenotype(
        kind="classification", train_people=50, validation_people=12, test_people=30
    )
    for split in draw(participants_table(["a", "b"] * 100), phenotype, Splitting()):
        sizes = [(split.codes == code).sum() for code in (TRAIN, VALIDATION, TEST)]
        assert sizes == [50, 12, 30]
    message = "50 training, 12 validation and 30 test participants, .* 40 in 2 classes"
    with pytest.raises(UserError, match=message):
        draw(participants_table(["a", "b"] * 20), phenotype, Splitting())


@pytest.mark.parametrize(
    "sizes",
    [{"test_people": 1000}, {"test_people": 1}, {"train_people": 2, "validation_people": 59}],
)
def test_impossible_part_sizes_are_refused(sizes: dict[str, int]) -> None:
    phenotype = Phenotype.model_validate({"kind": "classification"} | sizes)
    with pytest.raises(UserError, match="Splits need .* training"):
        draw(participants_table(["a", "b", "c"] * 20), phenotype, Splitting())


def test_plain_random_draws_vary_in_their_shares_and_keep_their_sizes() -> None:
    """Of 16 test participants, 4 of the 20 in class b are expected, with the hypergeometric sd."""
    phenotype = Phenotype(kind="classification", stratified=False)
    splits = draw(participants_table(["a"] * 60 + ["b"] * 20), phenotype, Splitting())
    tested = np.array([split.is_test[60:].sum() for split in splits])
    assert {split.is_test.sum() for split in splits} == {16}
    assert {(split.codes == VALIDATION).sum() for split in splits} == {16}
    assert abs(tested.mean() - 4) < 0.55
    assert 1.1 < tested.std() < 2.1  # sqrt(16 * 1/4 * 3/4 * 64/79) = 1.56


def test_classes_between_edges_are_stratified_by_class() -> None:
    phenotype = Phenotype(kind="classification", edges=[10])
    table = participants_table(["below 10"] * 60 + ["10 and above"] * 20)
    for split in draw(table, phenotype, Splitting()):
        assert (split.is_test[:60].sum(), split.is_test[60:].sum()) == (12, 4)
