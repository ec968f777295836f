"""Missing, truncated and corrupt files, a clock set back, and two concurrent runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.workspaces import Workspace, environment, same

pytestmark = [pytest.mark.slow, pytest.mark.faults]

SHARD = "results/timeseries/small/atlas-seitzman300_shard-0000_timeseries.parquet"
# Artifacts, each with a stage that reads it and is forced to run again.
READ_BY = {
    SHARD: "represent",
    "results/scans/small.parquet": "split",
    "results/models/tiny/encoder.safetensors": "embed",
    "results/representations/fc/small.parquet": "probe",
    "results/splits/small/group.parquet": "probe",
    "results/scores/small/group/fc.parquet": "benchmark",
    "results/benchmarks/small/group.json": "report",
    "results/index/small/participants.parquet": "split",
    "results/models/tiny/config.json": "embed",
    "results/models/tiny/metrics.parquet": "report",
    "results/index/small/shard-0001.tsv": "preprocess",
    "resources/atlases/atlas-seitzman300_dseg.json": "parcellate",
    "resources/atlases/atlas-seitzman300_dseg.nii.gz": "parcellate",
}


def damage(path: Path, kind: str) -> None:
    """Truncate a file to half its size or flip a bit in its middle; its times are preserved."""
    before, content = path.stat(), bytearray(path.read_bytes())
    if kind == "truncated":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("kind", ["truncated", "flipped"])
def test_damaged_artifacts_are_never_used(finished: Workspace, tmp_path: Path, kind: str) -> None:
    for number, (name, stage) in enumerate(READ_BY.items()):
        folder = tmp_path / str(number)
        shutil.copytree(finished.folder, folder, symlinks=True)
        damage(folder / name, kind)
        done = Workspace(folder).run("--forcerun", stage, "--until", stage, check=False)
        output = done.stdout + done.stderr
        assert done.returncode != 0, name
        assert f"{name} does not match its checksum" in output, f"{name}: {output[-2000:]}"
        assert "Traceback" not in output
        assert not (folder / name).exists()
    for number in (0, len(READ_BY) - 1):  # almost the full pipeline, and a single short step
        workspace = Workspace(tmp_path / str(number))
        workspace.run()
        same(workspace, finished)
        assert workspace.planned() == {}


def test_deleted_shard_is_written_again(workspace: Workspace, finished: Workspace) -> None:
    (workspace.folder / SHARD).unlink()
    assert workspace.planned()["parcellate"] == 1
    workspace.run()
    same(workspace, finished)


def test_deleted_table_is_written_again_when_it_is_needed(
    workspace: Workspace, finished: Workspace
) -> None:
    (workspace.folder / "results/index/small/shard-0001.tsv").unlink()
    assert workspace.planned() == {}
    assert workspace.planned("--forcerun", "preprocess")["index"] == 1
    workspace.run("--forcerun", "preprocess")
    same(workspace, finished)


def test_clock_set_back_changes_no_result(workspace: Workspace, finished: Workspace) -> None:
    """All results are dated tomorrow, as if the clock had been set back by a day."""
    tomorrow = time.time() + 86_400
    for folder in ("results", "resources"):
        for path in (workspace.folder / folder).rglob("*"):
            os.utime(path, (tomorrow, tomorrow))
    (workspace.folder / SHARD).unlink()
    workspace.run()
    same(workspace, finished)


def test_two_concurrent_runs(fresh: Workspace, finished: Workspace) -> None:
    runs = [
        subprocess.Popen(
            fresh.command(),
            cwd=fresh.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [run.communicate()[0] for run in runs]
    codes = sorted(run.returncode for run in runs)
    assert codes[0] == 0 and codes[1] != 0, outputs
    stopped = next(text for run, text in zip(runs, outputs, strict=True) if run.returncode)
    assert "lock" in stopped.lower()
    same(fresh, finished)
