"""Environment files: pinned like `make`'s own, and one for every rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PINS = dict(
    re.findall(r"^([a-z0-9_-]+)==(\S+)$", (ROOT / "envs/requirements.txt").read_text(), re.M)
)


@pytest.mark.parametrize("name", ["images", "model", "tables"])
def test_pins_are_those_of_make(name: str) -> None:
    content = yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())
    pip = next(part["pip"] for part in content["dependencies"] if isinstance(part, dict))
    for requirement in pip:
        package, version = requirement.split("==")
        assert PINS[package] == version, f"envs/{name}.yaml pins {requirement}"


def test_every_direct_requirement_is_locked() -> None:
    lines = (ROOT / "envs/requirements.in").read_text().splitlines()
    direct = {line.split("==")[0] for line in lines if line and not line.startswith("#")}
    assert direct <= set(PINS)


def test_every_rule_that_runs_something_has_an_environment() -> None:
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^(?:rule|checkpoint) ", path.read_text(), flags=re.M)[1:]:
            if "shell:" in rule:
                assert re.search(r'conda:\s+f?"../../envs/[\w{}]+\.yaml"', rule), rule.split(":")[0]
                assert "log:" in rule, rule.split(":")[0]
