"""What a user gets wrong stops in seconds, with one sentence and no traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workspaces import SMALL, Workspace

DATASET = SMALL["datasets"]["small"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"probe": {"repeat": 3}}, "unknown key 'probe.repeat'; did you mean 'probe.repeats'?"),
        ({"atlas": "seitzman30"}, "atlas is 'seitzman30'; did you mean 'seitzman300'?"),
        (
            {"datasets": {"small": DATASET | {"path": "nowhere"}}},
            "datasets.small: there is no folder nowhere. Set `path` to that of the data.",
        ),
        (
            {"datasets": {"small": DATASET | {"phenotypes": {"grup": "classification"}}}},
            "Data set small has no column 'grup' in participants.tsv (columns: age, sex, group)",
        ),
        (
            {"datasets": {"small": DATASET | {"path": "x/" * 2500}}},
            "the name or the path is too long for this disk",
        ),
        (
            {"datasets": {"small": DATASET | {"path": "data\0/small"}}},
            "datasets.small.path has the character NUL, which no path can have",
        ),
    ],
)
def test_one_sentence_and_the_end(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    bids = tmp_path / "data/small/bids"
    bids.mkdir(parents=True)
    (bids / "participants.tsv").write_text("participant_id\tage\tsex\tgroup\n")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(SMALL | changes))
    done = Workspace(tmp_path).run(check=False)
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if not line.startswith("Using workflow")]
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert sentence in errors[0]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_missing_configuration_is_said(tmp_path: Path) -> None:
    done = Workspace(tmp_path).run(check=False)
    assert done.returncode != 0
    assert "mine.yaml" in done.stderr
