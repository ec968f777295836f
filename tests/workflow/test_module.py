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


def test_another_workflow_uses_this_one_as_a_module(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(snakefile=ROOT / "workflow/Snakefile"))
    (tmp_path / "config.yaml").write_text(CONFIG)
    variables = environment()
    del variables["PYTHONPATH"]  # the module finds its package beside itself
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert '"phenotype": "trait"' in (tmp_path / "mine.json").read_text()
