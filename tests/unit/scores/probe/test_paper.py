from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from semantoks.errors import UserError
from semantoks.scores.probe import paper
from semantoks.scores.probe.paper import LEARNING_RATES, batches, choose_head, score_windows
from semantoks.scores.probe.targets import classes_of
from tests.unit.scores.conftest import QUICK, mean_score, problem_of


@pytest.mark.slow
def test_windows_are_classified_reproducibly() -> None:
    rng = np.random.default_rng(7)
    ill = np.arange(90) % 2 == 0
    windows = [rng.standard_normal((8, 12)) + 0.8 * i for i in ill]
    problem = problem_of(np.where(ill, "ill", "well"))
    settings = QUICK.model_copy(update={"repeats": 2})
    result = score_windows(problem, windows, settings)
    assert mean_score(result.scores, "balanced_accuracy") > 0.9
    assert set(result.scores["strength"]) <= {3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4}
    assert set(result.scores["strength"]) <= set(LEARNING_RATES)
    again = score_windows(problem, windows, settings)
    pd.testing.assert_frame_equal(result.scores, again.scores)
    assert len(result.predictions) == 2 * 18
    windows[3][:] = np.nan
    scores = score_windows(problem, windows, settings).scores
    assert mean_score(scores, "balanced_accuracy") > 0.85


def test_without_features_every_class_is_equally_likely() -> None:
    result = score_windows(problem_of(["a", "b"] * 45), [np.empty((1, 0))] * 90, QUICK)
    assert mean_score(result.scores, "balanced_accuracy") == 0.5


def test_a_number_is_an_error() -> None:
    rng = np.random.default_rng(7)
    with pytest.raises(UserError, match="Bin it into classes with `bins`"):
        score_windows(problem_of(rng.standard_normal(90)), [np.empty((1, 0))] * 90, QUICK)


@pytest.mark.parametrize(
    ("windows", "sizes"),
    [
        (80, [10] * 8),
        (84, [10] * 8 + [4]),  # the last partial batch is kept
        (81, [10] * 8),  # but not a single window
        (3000, [256] * 11 + [184]),
        (5, [2, 2]),
        (2, [2]),
    ],
)
def test_batches_of_an_epoch(windows: int, sizes: list[int]) -> None:
    assert [len(batch) for batch in batches(torch.arange(windows))] == sizes


def test_every_window_but_a_single_last_one_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    original = torch.nn.BatchNorm1d.forward

    def forward(self: torch.nn.BatchNorm1d, rows: torch.Tensor) -> torch.Tensor:
        seen.append(len(rows))
        return original(self, rows)

    monkeypatch.setattr(torch.nn.BatchNorm1d, "forward", forward)
    monkeypatch.setattr(paper, "EPOCHS", 1)
    windows = [np.random.default_rng(0).standard_normal((4, 3))] * 21
    paper._train(windows, classes_of(np.array(["a", "b", "c"] * 7)), np.arange(21), 0.01, 0)
    assert seen == [10] * 8 + [4]


def test_the_rate_is_chosen_by_windows_and_not_by_participants() -> None:
    """Logits are the windows themselves, or their negatives.

    The first head has both participants right on average over their windows, but only two of six
    windows; the second has four of six windows right, and nobody on average.
    """
    many = np.array([[-1.0, 1.0], [-1.0, 1.0], [9.0, -9.0]])
    windows, targets = [many, -many], classes_of(np.array(["a", "b"]))
    heads = [torch.nn.Identity(), _Negated(), *[torch.nn.Identity()] * 4]
    rows = np.arange(2)
    for head, by_people, by_windows in ((heads[0], [0, 1], 1 / 3), (heads[1], [1, 0], 2 / 3)):
        assert paper._mean_logits(head, windows, rows).argmax(axis=1).tolist() == by_people
        assert paper._window_accuracy(head, windows, targets, rows) == pytest.approx(by_windows)
    head, rate = choose_head(heads, windows, targets, rows)
    assert (head, rate) == (heads[1], 1e-2)
    # Of equal scores the highest rate.
    assert choose_head([torch.nn.Identity()] * 6, windows, targets, rows)[1] == 3e-2


def test_window_accuracy_is_balanced_over_classes() -> None:
    """Three windows of a, all right, and one of b, which is wrong: one half, not three quarters."""
    windows = [np.tile([1.0, 0.0], (3, 1)), np.array([[1.0, 0.0]])]
    targets = classes_of(np.array(["a", "b"]))
    assert paper._window_accuracy(torch.nn.Identity(), windows, targets, np.arange(2)) == 0.5


class _Negated(torch.nn.Module):
    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return -rows
