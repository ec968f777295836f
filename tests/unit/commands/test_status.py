"""The overview of a folder of results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from semantoks.artifacts.files import write_json
from semantoks.commands.status import status
from semantoks.scores.benchmark.compare import compare
from tests.unit.scores.benchmark.conftest import scores_of


def test_participants_without_features_stand_beside_the_score(tmp_path: Path) -> None:
    model = replace(scores_of("model", [0.5, 0.5]), people_without_features=2)
    comparison = compare([scores_of("fc", [0.6, 0.7]), model], "toy")
    write_json(tmp_path / "benchmarks/toy/group.json", comparison.model_dump())
    lines = list(status(tmp_path))
    assert "  fc    0.650 ± 0.071" in lines
    assert "  model 0.500 ± 0.000 (2 of 25 participants have no features)" in lines
