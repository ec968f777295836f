"""The files in config/ to start from are valid, and safe for data of real people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from semantoks.config import Config
from semantoks.config.validation import validated
from tests.workspaces import ROOT

FILES = sorted((ROOT / "config").glob("*.yaml"))


def test_there_is_a_file_for_each_source() -> None:
    assert [path.stem for path in FILES] == ["bids", "fmriprep", "timeseries"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_valid(path: Path) -> None:
    config = validated(Config, yaml.safe_load(path.read_text()), path.name)
    (dataset,) = config.datasets.values()
    assert dataset.source == path.stem
    assert not config.report.participants
    assert config.models["semantoks"].size == "small"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_commented_out_is_valid(path: Path) -> None:
    """Of a key that is there twice then, YAML takes the later one."""
    _, text = path.read_text().split("\n\n", 1)
    text = re.sub(r"^( *)# (?=\w+:(?: |$)|  )", r"\1", text, flags=re.M)
    validated(Config, yaml.safe_load(text), path.name)


def test_the_quick_demo_is_valid_and_has_no_images() -> None:
    path = ROOT / "config/demo/quick.yaml"
    config = validated(Config, yaml.safe_load(path.read_text()), path.name)
    assert {dataset.source for dataset in config.datasets.values()} == {"timeseries"}
