"""Choose among representations inside the training part, as a strength is chosen.

Each fit takes the candidate whose inner folds have the least loss. All candidates have the same
participants, targets and inner folds, so their losses can be compared. Nothing of the test
participants enters the choice, and nothing is fitted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from semantoks.errors import UserError
from semantoks.scores.probe.candidates import choose_per_permutation
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.permutation import PermutationTest

FIT = ["split", "fraction"]
CHOSEN = "chosen"


def choose_per_fit(candidates: Mapping[str, ProbeResult]) -> ProbeResult:
    """Take the scores and predictions of the chosen candidate of each fit.

    Parameters
    ----------
    candidates : mapping of str to ProbeResult
        By name; of equal losses the first is chosen.

    Returns
    -------
    ProbeResult
        With a column ``chosen``. A fraction of a learning curve chooses among the candidates that
        were fitted to it. The permutation test repeats the choice for each permutation and split;
        None if a candidate has none.

    Raises
    ------
    UserError
        If the candidates were scored on different splits.
    """
    tables = {name: result.scores for name, result in candidates.items()}
    _check_splits(tables)
    scores = _least_loss(tables)
    complete = scores[scores["fraction"] == 1]
    of_splits = {name: result.predictions.groupby("split") for name, result in candidates.items()}
    predictions = [
        of_splits[chosen].get_group(split)
        for split, chosen in zip(complete["split"], complete[CHOSEN], strict=True)
    ]
    tests = [result.permutation_test for result in candidates.values()]
    known = [test for test in tests if test is not None]
    test = permutation_test(known) if len(known) == len(tests) else None
    return ProbeResult(scores, pd.concat(predictions, ignore_index=True), test)


def _check_splits(tables: Mapping[str, pd.DataFrame]) -> None:
    """Compare the fits to the whole training part; learning curves may differ."""
    splits = {
        name: list(table.loc[table["fraction"] == 1, "split"]) for name, table in tables.items()
    }
    first, *others = splits
    different = [name for name in others if splits[name] != splits[first]]
    if different:
        raise UserError(
            f"{first} and {different[0]} were scored on different splits, so none of them can be "
            "chosen. Run `probe` again for both."
        )


def _least_loss(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per fit, in the order of the table with most fits."""
    longest = max(tables.values(), key=len)
    rows = pd.concat([table.assign(**{CHOSEN: name}) for name, table in tables.items()])
    # Stable, so that the first of equal candidates stays the first.
    rows = rows.sort_values("inner_loss", kind="stable").drop_duplicates(FIT)
    return longest[FIT].merge(rows, on=FIT)[[*longest.columns, CHOSEN]]


def permutation_test(tests: Sequence[PermutationTest]) -> PermutationTest:
    """Repeat the choice for each permutation of the phenotype on each split.

    Parameters
    ----------
    tests : sequence of PermutationTest
        Of the candidates: with the same permutations, on the same splits.
    """
    of_splits = zip(*(test.splits for test in tests), strict=True)
    return PermutationTest.of([choose_per_permutation(splits) for splits in of_splits])
