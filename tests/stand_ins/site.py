"""A raw data set in a folder with an odd name, and the engine run on it with stand-ins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semantoks.config import Fmriprep, Preprocessing
from semantoks.data.preprocess.stage import preprocess_shard

STAND_INS = Path(__file__).resolve().parent
ROOT = STAND_INS.parents[1]
RUNS = ("sub-02_task-rest_run-1", "sub-02_task-rest_run-2")


class Site:
    """A raw data set in a folder with an odd name, and programs that stand in."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "Gehirn & 'Geist' für alle"
        self.bids, self.out = self.folder / "bids", self.folder / "shard-0000"
        self.commands_file, self.containers = folder / "commands", folder / "containers"
        self.containers.mkdir()
        self.monkeypatch = monkeypatch
        for name in ("sub-01_task-rest", *RUNS, "sub-03_task-rest"):
            self.add(f"{name[:6]}/func/{name}_bold.nii.gz")
        (self.folder / "license.txt").write_text("licence")
        path = f"{STAND_INS}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        for key, value in {
            "PATH": path,
            "RECORD": str(self.commands_file),
            "CONTAINERS": str(self.containers),
            "PYTHONPATH": str(ROOT / "src"),
        }.items():
            monkeypatch.setenv(key, value)
        monkeypatch.delenv("FS_LICENSE", raising=False)

    def add(self, name: str) -> None:
        (self.bids / name).parent.mkdir(parents=True, exist_ok=True)
        (self.bids / name).write_bytes(b"")

    def fail(self, **how: Any) -> None:
        self.monkeypatch.setenv("FMRIPREP_FAILS", json.dumps(how))

    def scans(self) -> pd.DataFrame:
        rows = []
        for bold in sorted(self.bids.rglob("*_bold.nii.gz")):
            person = bold.name.split("_")[0]
            row = {"scan": bold.name.removesuffix("_bold.nii.gz"), "participant_id": person}
            row |= {
                "task": "rest",
                "bold": str(bold.relative_to(self.bids)),
                "version": "1",
                "problem": "",
            }
            rows.append(row | {"t1w": f"{person}/anat/{person}_T1w.nii.gz"})
        return pd.DataFrame(rows)

    def settings(self, **settings: Any) -> Preprocessing:
        with_license = {"license": str(self.folder / "license.txt"), "runner": "native"} | settings
        return Preprocessing(engine="fmriprep", fmriprep=Fmriprep(**with_license))

    def run(self, scans: pd.DataFrame | None = None, **settings: Any) -> pd.DataFrame:
        self.commands_file.write_text("")
        scans = self.scans() if scans is None else scans
        table = preprocess_shard(scans, self.bids, self.out, self.settings(**settings), 2, 9000)
        return table.set_index("scan")

    def commands(self, program: str) -> list[list[str]]:
        return [words[1:] for words in self._recorded() if words[0] == program]

    def _recorded(self) -> list[list[str]]:
        lines = self.commands_file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def people(self) -> list[list[str]]:
        """Who was worked on, call by call."""
        found = []
        for words in self._recorded():
            if "--participant-label" in words:
                start = words.index("--participant-label") + 1
                found.append(words[start : words.index("--task-id")])
        return found

    def start(self, **settings: Any) -> subprocess.Popen[bytes]:
        """Run in a process that can be killed."""
        arguments = [
            *(sys.executable, "-m", "semantoks", "preprocess", "--scans", str(self.table())),
            *("--bids", str(self.bids), "--out", str(self.out), "--threads", "2"),
            *("--memory", "9000", "--settings"),
            json.dumps({"preprocessing": self.settings(**settings).model_dump()}),
        ]
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def table(self) -> Path:
        path = self.folder / "shard-0000.tsv"
        self.scans().assign(repetition_time=2.0).to_csv(path, sep="\t", index=False)
        return path
