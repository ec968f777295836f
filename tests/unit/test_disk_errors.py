"""What the system refuses is one sentence: long names, limits, read-only folders."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from semantoks.errors import disk_sentence
from semantoks.model.files.tensors import write_tensors
from tests.workspaces import environment

SIMULATION = {"participants": 4, "two_sessions": 0, "seconds": 130}
SETTINGS = json.dumps({"simulate": SIMULATION, "source": "timeseries"})


def sentence(folder: Path, *arguments: str, limit: int | None = None, **variables: str) -> str:
    """Run a command that must fail, and return all that it says."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-m", "semantoks", *arguments],
        cwd=folder,
        env=environment() | variables,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
    )
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert len(lines) == 1 and len(lines[0]) < 1000, done.stderr
    return lines[0]


@pytest.mark.parametrize("length", [300, 5000])
@pytest.mark.parametrize(
    "command",
    [
        ["status", "{long}"],
        ["why", "{long}"],
        ["scans", "--timeseries", "{long}", "--out", "x"],
        ["scans", "--timeseries", "@{long}", "--out", "x"],
        ["simulate", "--truth", "truth", "--out", "{long}", "--settings", SETTINGS],
        ["scans", "--settings", "{long}", "--timeseries", "x", "--out", "x"],
    ],
    ids=lambda command: " ".join(command)[:30],
)
def test_names_that_no_disk_can_hold(tmp_path: Path, command: list[str], length: int) -> None:
    long = "x" * length
    text = sentence(tmp_path, *(word.replace("{long}", long) for word in command))
    assert "too long" in text


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """As `ulimit -f` of some clusters; Python ignores the signal, so writing fails."""
    command = ["simulate", "--truth", "truth", "--out", "bids/participants.tsv"]
    for limit in (100, 20_000):  # the table, and an array that fits in part
        assert "`ulimit -f`" in sentence(tmp_path, *command, "--settings", SETTINGS, limit=limit)


@pytest.mark.parametrize("atlas", ["cc200", "schaefer100x7"])
def test_a_home_in_which_nothing_can_be_written(tmp_path: Path, atlas: str) -> None:
    """A file instead of a folder, since root may write into a folder that is read-only."""
    (tmp_path / "home").touch()
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CACHE_HOME")}
    settings = json.dumps({"atlas": atlas})
    command = ["get-atlas", "--table", "t.tsv", "--out", "a.nii.gz", "--settings", settings]
    text = sentence(tmp_path, *command, **home, TEMPLATEFLOW_HOME=str(tmp_path / "home/tf"))
    assert "could not be stored" in text and "XDG_CACHE_HOME" in text
    assert "network" not in text


def test_safetensors_says_that_the_disk_refuses(tmp_path: Path) -> None:
    with pytest.raises(OSError) as error:
        write_tensors(tmp_path / ("x" * 230), {"a": torch.zeros(3)})
    assert error.value.errno == errno.ENAMETOOLONG
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [*range(1, 41), errno.EDQUOT, errno.ESTALE])
def test_every_error_of_the_system_is_a_sentence(number: int) -> None:
    text = disk_sentence(OSError(number, os.strerror(number), "folder/\x1b[31mfile\udcff"))
    assert text and text.startswith("folder/�[31mfile� cannot be used: ") and text.endswith(".")
    assert text.isprintable()
    hidden = disk_sentence(OSError(number, "", "folder/.file.123.part"), Path("folder/file"))
    assert hidden and hidden.startswith("folder/file cannot be used: ")
    assert disk_sentence(OSError("of a library")) is None
