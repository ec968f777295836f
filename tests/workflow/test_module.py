"""The workflow as a module of somebody else's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workspaces import ROOT, environment

pytestmark = pytest.mark.slow

SNAKEFILE = """
configfile: "config.yaml"

module semantoks:
    snakefile: "{snakefile}"
    config: config["semantoks"]

use rule * from semantoks as semantoks_*

rule mine:
    default_target: True
    input: "results/benchmarks/toy/trait.json"
    output: "mine.json"
    shell: "cp {{input}} {{output}}"
"""
CONFIG = """
semantoks:
  datasets:
    toy:
      source: timeseries
      simulate: {participants: 40, two_sessions: 0, seconds: 130}
      phenotypes: {trait: regression}
  parcellation: {motion: basic}
  baselines: [fc]
  probe: {repeats: 2, inner_folds: 2, permutations: 20, learning_curve: []}
"""


def run(folder: Path, snakefile: str, *arguments: str, installed: bool) -> tuple[int, str]:
    """Run a workflow that uses Semantoks as a module."""
    (folder / "Snakefile").write_text(SNAKEFILE.format(snakefile=snakefile))
    (folder / "config.yaml").write_text(CONFIG)
    variables = environment()
    if not installed:
        del variables["PYTHONPATH"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_checkout_is_a_module_and_brings_its_package(tmp_path: Path) -> None:
    status, output = run(tmp_path, str(ROOT / "workflow/Snakefile"), installed=False)
    assert status == 0, output[-3000:]
    assert '"phenotype": "trait"' in (tmp_path / "mine.json").read_text()


def test_a_module_may_come_from_a_repository(tmp_path: Path) -> None:
    """As with github(): rules are fetched one by one, and the package must be installed."""
    snakefile = f"git+file://{ROOT}/workflow/Snakefile@HEAD"
    status, output = run(tmp_path, snakefile, "--dry-run", installed=True)
    assert status == 0, output[-3000:]
    assert "semantoks_benchmark" in output
    status, output = run(tmp_path, snakefile, "--dry-run", installed=False)
    assert status != 0
    assert "Error: the package semantoks is missing. Install it" in output
    assert "Traceback" not in output
