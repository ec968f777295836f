"""What other users of the machine can see of the settings of a run."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.workspaces import Workspace, environment

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {
    "datasets": {
        "toy": {
            "source": "timeseries",
            "simulate": {"participants": 40, "two_sessions": 0, "seconds": 130},
            "phenotypes": {
                "hidden": {"kind": "regression", "column": "trait", "title": "A secret illness"}
            },
        }
    },
    "parcellation": {"motion": "basic"},
    "baselines": ["fc"],
    "probe": {"repeats": 2, "inner_folds": 2, "permutations": 20, "learning_curve": []},
}


def commands_of(pid: int) -> set[str]:
    """Command lines of a process and of all below it."""
    lines = set()
    with suppress(psutil.Error):
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with suppress(psutil.Error):
                lines.add(" ".join(process.cmdline()))
    return lines


def test_no_setting_is_on_a_command_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(CONFIG))
    workspace = Workspace(tmp_path)
    with (tmp_path / "output.txt").open("w") as output:
        run = subprocess.Popen(
            workspace.command(), cwd=tmp_path, env=environment(), stdout=output, stderr=output
        )
        commands: set[str] = set()
        while run.poll() is None:
            commands |= commands_of(run.pid)
            time.sleep(0.05)
    assert run.returncode == 0, (tmp_path / "output.txt").read_text()[-3000:]
    stages = ("index", "scans", "split", "probe", "benchmark", "report")
    assert all(any(f"semantoks {stage} " in line for line in commands) for stage in stages)
    assert [line for line in commands if "trait" in line or "secret" in line] == []
    files = list((tmp_path / ".snakemake/semantoks").iterdir())
    assert files and all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert workspace.planned() == {}

    text = (tmp_path / "mine.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("A secret illness", "Another title"))
    assert workspace.ran() == {"benchmarks": 1, "report": 1}
    assert workspace.planned() == {}
    left = {path.read_text() for path in (tmp_path / ".snakemake/semantoks").iterdir()}
    assert not any("A secret illness" in text for text in left)
