import math
from dataclasses import replace

from semantoks.config import Phenotype, Published
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.comparison import Comparison
from tests.unit.scores.benchmark.conftest import scores_of


def test_metrics_stand_beside_the_other_fields_of_a_row_in_json() -> None:
    content = compare([scores_of("fc", [0.6, 0.7, 0.65])], "toy").model_dump()
    (row,) = content["schemes"][0]["representations"]
    assert {"representation", "features", "balanced_accuracy", "ece"} < set(row)
    assert not {"metrics", "difference_from_baseline"} & set(row)
    assert content["bins"] is None
    assert "publication" not in content


def test_reading_restores_what_was_written() -> None:
    phenotype = Phenotype(
        kind="classification", published=[Published(model="m", value=0.5, source="s")]
    )
    comparison = compare(
        [scores_of("fc", [0.6, 0.7]), scores_of("model", [0.8, 0.8])], "toy", phenotype
    )
    assert Comparison.model_validate(comparison.model_dump()) == comparison


def test_participants_without_features_are_counted_only_where_there_are_some() -> None:
    scores = [scores_of("fc", [0.6, 0.7]), scores_of("model", [0.5, 0.5])]
    scores[1] = replace(scores[1], people_without_features=2)
    comparison = compare(scores, "toy")
    content = comparison.model_dump()
    fc, model = content["schemes"][0]["representations"]
    assert "people_without_features" not in fc and model["people_without_features"] == 2
    assert Comparison.model_validate(content) == comparison


def test_values_that_are_not_numbers_are_allowed() -> None:
    (scheme,) = compare([scores_of("fc", [0.5])], "toy").schemes
    (row,) = scheme.representations
    assert math.isnan(row.metrics["auroc"].sd)
