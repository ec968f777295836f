"""Run the real workflow in a temporary folder on a small made-up data set."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]

SMALL: dict[str, Any] = {
    "datasets": {
        "small": {
            "path": "data/small/bids",
            "shards": 2,
            "phenotypes": {"group": "classification", "trait": "regression"},
        }
    },
    "preprocessing": {"voxel_size": 8, "registration_voxel_size": 8},
    "parcellation": {"min_coverage": 0.1, "motion": "basic"},
    "models": {
        "tiny": {
            "architecture": {
                "window": 40,
                "patch": 20,
                "tokenizer": {"dense_channels": 8, "structured_channels": 8},
                "depth": 1,
                "head_width": 8,
                "projector_hidden": 16,
                "projector_output": 8,
            },
            "training": {"epochs": 4, "batch_size": 8, "warmup_epochs": 1},
            "cpu_threads": 1,
        }
    },
    "baselines": ["fc", "confounds"],
    "stacked": False,
    "report": {"participants": True},
    "probe": {"repeats": 2, "inner_folds": 2, "permutations": 20, "learning_curve": [0.5]},
}

SIMULATION = {
    "participants": 14,
    "two_sessions": 1,
    "seconds": 130,
    "voxel_size": 8,
    "anatomy_voxel_size": 6,
}


@dataclass(frozen=True)
class Workspace:
    """A folder with its own data, configuration and results, worked on by this checkout."""

    folder: Path

    def configure(self, **changes: Any) -> None:
        (self.folder / "mine.yaml").write_text(yaml.safe_dump(SMALL | changes))

    def command(self, *arguments: str) -> list[str]:
        head = [sys.executable, "-m", "snakemake", *arguments, "--cores", "2"]
        paths = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "mine.yaml"]
        return [*head, *paths, "--workflow-profile", str(ROOT / "profiles/default")]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=900,  # a job that waits for ever in a queue is a failure, too
        )
        if check and done.returncode:
            pytest.fail(done.stdout[-4000:] + done.stderr[-4000:])
        return done

    def planned(self, *arguments: str) -> dict[str, int]:
        """Count the jobs that would run, by rule."""
        done = self.run(*arguments, "--dry-run")
        table = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
        return {rule: int(count) for rule, count in table if rule not in ("total", "all")}

    def ran(self, *arguments: str) -> dict[str, int]:
        """Run, and count the jobs that really ran, by rule, from their logs."""
        logs = self.folder / "logs"
        before = {path: path.stat().st_mtime_ns for path in logs.rglob("*.log")}
        self.run(*arguments)
        counts: dict[str, int] = {}
        for path in logs.rglob("*.log"):
            if before.get(path) != path.stat().st_mtime_ns:
                stage = path.relative_to(logs).parts[0].removesuffix(".log")
                counts[stage] = counts.get(stage, 0) + 1
        return counts

    def results(self) -> dict[str, bytes]:
        """Read the files that a second run must repeat byte for byte."""
        patterns = ("timeseries/**/*.parquet", "models/*/encoder.safetensors")
        patterns += (
            "representations/**/*.parquet",
            "scores/**/*.parquet",
            "benchmarks/**/*.json",
            "cards/**/*.json",
        )
        found = [path for pattern in patterns for path in self.folder.glob(f"results/{pattern}")]
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in found
            if not path.name.endswith(".provenance.json")
        }


def same(ours: Workspace, expected: Workspace) -> None:
    """Fail unless the results are the same to the last byte."""
    results, theirs = ours.results(), expected.results()
    assert results.keys() == theirs.keys()
    assert [name for name in results if results[name] != theirs[name]] == []


def kill_family(pid: int) -> None:
    """Kill a process and all below it, as far as they are still there."""
    root = psutil.Process(pid)
    family = [root, *root.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family)


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "src")}


@pytest.fixture(scope="session")
def shared_folder(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Path:
    """Folder that the processes of pytest-xdist have in common, and others with --workspaces."""
    given: Path | None = pytestconfig.getoption("--workspaces")
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        return given.resolve()
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def simulated(shared_folder: Path) -> Path:
    """Raw BIDS data that no test may change; made once."""
    folder = shared_folder / "simulated"
    with FileLock(shared_folder / "simulated.lock"):
        if not (folder / "bids/participants.tsv").exists():
            subprocess.run(
                [
                    *(sys.executable, "-m", "semantoks", "simulate", "--threads", "2"),
                    *("--settings", json.dumps({"simulate": SIMULATION, "source": "bids"})),
                    *("--truth", str(folder / "truth")),
                    *("--out", str(folder / "bids/participants.tsv")),
                ],
                env=environment(),
                check=True,
                capture_output=True,
            )
    return folder


@pytest.fixture(scope="session")
def finished(simulated: Path, shared_folder: Path) -> Workspace:
    """A workspace in which everything has run, once; copy it before changing it."""
    workspace = Workspace(shared_folder / "finished")
    with FileLock(shared_folder / "finished.lock"):
        if not (workspace.folder / "results/report/index.html").exists():
            shutil.copytree(simulated, workspace.folder / "data/small")
            workspace.configure()
            workspace.run()
    return workspace


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path) -> Workspace:
    """Make a copy of the finished workspace, with its modification times."""
    shutil.copytree(finished.folder, tmp_path / "work", symlinks=True)
    return Workspace(tmp_path / "work")


@pytest.fixture
def fresh(simulated: Path, tmp_path: Path) -> Workspace:
    """Make a workspace with data in which nothing has run."""
    workspace = Workspace(tmp_path / "fresh")
    shutil.copytree(simulated, workspace.folder / "data/small")
    workspace.configure()
    return workspace
