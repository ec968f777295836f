"""A raw BIDS data set and a PATH on which docker, apptainer and fMRIPrep are stand-ins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semantoks.config import Fmriprep, Preprocessing
from semantoks.data.preprocess.fmriprep.filters import BidsFilters
from semantoks.data.preprocess.stage import preprocess_shard
from semantoks.gate import Gate

STAND_INS = Path(__file__).resolve().parent
ROOT = STAND_INS.parents[1]
RUNS = ("sub-02_task-rest_run-1", "sub-02_task-rest_run-2")  # sub-01 and sub-03 have one run each


class Sandbox:
    """A raw data set of three participants, and stand-ins that record how they were called.

    The folder's name has a space, quotes and non-ASCII letters, as users' folders may.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "Gehirn & 'Geist' für alle"
        self.bids, self.out = self.folder / "bids", self.folder / "shard-0000"
        self.work = self.folder / "shard-0000_work"
        self.commands_file, self.containers = folder / "commands", folder / "containers"
        self.containers.mkdir()
        self.monkeypatch = monkeypatch
        for name in ("sub-01_task-rest", *RUNS, "sub-03_task-rest"):
            self.add_file(f"{name[:6]}/func/{name}_bold.nii.gz")
        (self.folder / "license.txt").write_text("licence")
        self._set_environment()

    def _set_environment(self) -> None:
        path = f"{STAND_INS}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        for key, value in {
            "PATH": path,
            "RECORD": str(self.commands_file),
            "CONTAINERS": str(self.containers),
            "PYTHONPATH": str(ROOT / "src"),
        }.items():
            self.monkeypatch.setenv(key, value)
        self.monkeypatch.delenv("FS_LICENSE", raising=False)

    def add_file(self, name: str) -> None:
        """Add an empty file to the raw data set; the stand-ins do not read images."""
        (self.bids / name).parent.mkdir(parents=True, exist_ok=True)
        (self.bids / name).write_bytes(b"")

    def fail(self, **faults: Any) -> None:
        """Set how fMRIPrep fails from now on, see `fake_fmriprep`; no argument: not at all."""
        self.monkeypatch.setenv("FMRIPREP_FAILS", json.dumps(faults))

    def scans(self) -> pd.DataFrame:
        """Return the shard table of the raw data set, without repetition times."""
        rows = []
        for bold in sorted(self.bids.rglob("*_bold.nii.gz")):
            participant = bold.name.split("_")[0]
            rows.append(
                {
                    "scan": bold.name.removesuffix("_bold.nii.gz"),
                    "participant_id": participant,
                    "task": "rest",
                    "bold": str(bold.relative_to(self.bids)),
                    "version": "1",
                    "problem": "",
                    "t1w": f"{participant}/anat/{participant}_T1w.nii.gz",
                }
            )
        return pd.DataFrame(rows)

    def write_scans(self) -> Path:
        """Write the shard table as `index` does."""
        path = self.folder / "shard-0000.tsv"
        self.scans().assign(repetition_time=2.0).to_csv(path, sep="\t", index=False)
        return path

    def settings(self, **settings: Any) -> Preprocessing:
        with_license = {"license": str(self.folder / "license.txt"), "runner": "native"} | settings
        return Preprocessing(engine="fmriprep", fmriprep=Fmriprep(**with_license))

    def run(
        self,
        scans: pd.DataFrame | None = None,
        filters: BidsFilters | None = None,
        **settings: Any,
    ) -> pd.DataFrame:
        """Preprocess the shard; return its status table, indexed by scan."""
        self.commands_file.write_text("")
        scans = self.scans() if scans is None else scans
        table = preprocess_shard(
            scans, Gate(self.bids), self.out, self.settings(**settings), 2, 9000, filters
        )
        return table.set_index("scan")

    def start(self, **settings: Any) -> subprocess.Popen[bytes]:
        """Preprocess the shard in a process that can be killed."""
        arguments = [
            *(sys.executable, "-m", "semantoks", "preprocess"),
            *("--shard", str(self.write_scans()), "--bids", str(self.bids)),
            *("--out", str(self.out), "--threads", "2", "--memory", "9000", "--settings"),
            json.dumps({"preprocessing": self.settings(**settings).model_dump()}),
        ]
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def commands(self, program: str) -> list[list[str]]:
        """Return the arguments of each call of a program since the last `run`."""
        return [words[1:] for words in self._recorded() if words[0] == program]

    def participants(self) -> list[list[str]]:
        """Return the participant labels of each call of fMRIPrep since the last `run`."""
        calls = []
        for words in self._recorded():
            if "--participant-label" in words:
                start = words.index("--participant-label") + 1
                calls.append(words[start : words.index("--task-id=rest")])
        return calls

    def _recorded(self) -> list[list[str]]:
        lines = self.commands_file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes_with(text: str) -> list[int]:
    """Return the processes, except this one, whose command line contains `text`."""
    processes = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in line and int(folder.name) != os.getpid():
            processes.append(int(folder.name))
    return processes
