from __future__ import annotations

import pandas as pd
import pytest

from semantoks.errors import UserError
from semantoks.scores.benchmark.stage import compare, worth
from semantoks.scores.metrics import CLASSIFICATION


def rows_of(values: list[float], scheme: str = "random") -> pd.DataFrame:
    table = pd.DataFrame(dict.fromkeys(CLASSIFICATION, values))
    table = table.assign(split=[f"{scheme} {i}" for i in range(len(values))], scheme=scheme)
    return table.assign(held_out="", fraction=1.0, train_people=20, test_people=5)


def test_representations_are_compared_with_connectivity() -> None:
    metadata = {
        "phenotype": "group",
        "kind": "classification",
        "bins": None,
        "people": 25,
        "classes": {"a": 12, "b": 13},
        "left_out": {},
        "protocol": "exact",
        "confounds": "none",
        "features": 3,
        "p_permutation": None,
        "shuffled_deviation": None,
    }
    values = {"fc": [0.6, 0.7, 0.65], "model": [0.8, 0.9, 0.8]}
    scores = [(metadata | {"representation": name}, rows_of(v)) for name, v in values.items()]
    result = compare(scores)
    (scheme,) = result["schemes"]
    fc, model = scheme["representations"]
    assert "difference_from_fc" not in fc
    assert model["difference_from_fc"]["mean"] == pytest.approx(0.55 / 3)
    assert (scheme["splits"], scheme["test_people"]) == (3, 5)
    other = (metadata | {"representation": "x"}, rows_of([0.5], "fixed"))
    with pytest.raises(UserError, match="scored on different splits"):
        compare([*scores, other])


def test_worth_of_labelled_participants() -> None:
    baseline = [{"train_people": n, "mean": s} for n, s in ((10, 0.5), (100, 0.6), (1000, 0.7))]
    better = [{"train_people": n, "mean": s} for n, s in ((10, 0.6), (100, 0.7), (1000, 0.75))]
    assert worth(better, baseline) == pytest.approx(10)
    assert worth(baseline, better) == pytest.approx(0.1)
    assert worth(baseline, baseline) == pytest.approx(1)
