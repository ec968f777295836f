"""The commands of the tutorials print what the pages say, on small data.

What the pages call /data is a folder of the test. Between `init` and `run` the model and the probe
are made small.
"""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import semantoks
from tests.derivatives import write_derivatives
from tests.holders import abide
from tests.workspaces import ROOT, SIMULATION, SMALL, environment

pytestmark = [pytest.mark.slow, pytest.mark.journeys]

SMALLER = {"probe": SMALL["probe"], "baselines": ["fc"], "stacked": False}


class Tutorial:
    """A page, and the folder that it is read in."""

    def __init__(self, name: str, folder: Path) -> None:
        self.text = (ROOT / "docs/tutorials" / name).read_text()
        self.text = self.text.replace("/data/", f"{folder}/data/")
        self.folder = folder / "work"
        self.folder.mkdir(exist_ok=True)
        self.changes: dict[str, Any] = {}

    def blocks(self) -> Iterator[tuple[str, str]]:
        """Yield language and content of each block of code."""
        for match in re.finditer(r"^```(\w+)\n(.*?)^```$", self.text, re.M | re.S):
            yield match[1], match[2]

    def follow(self) -> None:
        """Do what the page says, in order."""
        for language, content in self.blocks():
            if language == "console":
                for part in content.split("$ ")[1:]:
                    command, *expected = part.strip().splitlines()
                    self.require(expected, self.run(command))
                    if command.startswith("semantoks init"):
                        self.written = (self.folder / "semantoks.yaml").read_text().splitlines()
                        self.make_small()
            elif language == "yaml":
                self.require(content.splitlines(), self.written)
            elif language == "python":
                self.run([sys.executable, "-c", content])

    def require(self, expected: list[str], printed: list[str]) -> None:
        """Fail unless the lines are there; … stands for anything."""
        for line in expected:
            pattern = re.sub(r"[][*?]", "?", line).replace("…", "*")
            assert fnmatch.filter(printed, pattern), f"{line!r} is not in {printed}"

    def run(self, command: str | list[str]) -> list[str]:
        if isinstance(command, str):
            command = [sys.executable, "-m", *command.split()]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout.splitlines()

    def make_small(self) -> None:
        path = self.folder / "semantoks.yaml"
        content = yaml.safe_load(path.read_text())
        content |= SMALLER | self.changes
        (dataset,) = content["datasets"].values()
        dataset["phenotypes"] = dict(list(dataset["phenotypes"].items())[-2:])
        small = SMALL["models"]["tiny"]
        content["models"]["semantoks"] = small | {"readouts": ["pooled", "full"]}
        path.write_text(yaml.safe_dump(content))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Follow the first tutorial; the others go on in its folder."""
    folder = tmp_path_factory.mktemp("tutorials")
    write_derivatives(folder / "data/study")
    tutorial = Tutorial("fmriprep.md", folder)
    tutorial.changes = {"parcellation": {"min_coverage": 0.1}}  # spheres in large voxels
    tutorial.follow()
    return folder


def test_raw_images(tmp_path: Path) -> None:
    """The simulation's own table of participants has the columns that the page counts."""
    tutorial = Tutorial("raw.md", tmp_path)
    tutorial.run(
        [
            *(sys.executable, "-m", "semantoks", "simulate", "--threads", "2"),
            *("--settings", json.dumps({"simulate": SIMULATION | {"participants": 24}})),
            *("--truth", str(tmp_path / "truth")),
            *("--out", str(tmp_path / "data/study/participants.tsv")),
        ]
    )
    tutorial.changes = {key: SMALL[key] for key in ("preprocessing", "parcellation")}
    tutorial.follow()
    assert (tutorial.folder / "results/report/scores.tsv").exists()


def test_my_fmriprep_derivatives(study: Path) -> None:
    assert (study / "work/results/report/scores.tsv").exists()


@pytest.mark.skipif(not hasattr(semantoks, "load"), reason="needs semantoks.load")
def test_in_python(study: Path) -> None:
    """The cells of a page run one after the other, as in a notebook."""
    tutorial = Tutorial("python.md", study)
    # As the small configuration has it: of spheres in large voxels, little is in the mask.
    coarse = "min_coverage=0.1"
    tutorial.text = tutorial.text.replace("embed(image)", f"embed(image, {coarse})")
    tutorial.text = tutorial.text.replace("Embedder(model)", f"Embedder(model, {coarse})")
    cells = [content for language, content in tutorial.blocks() if language == "python"]
    printed = tutorial.run([sys.executable, "-c", "\n".join(cells)])
    assert printed[0] == "seitzman300 300 regions, TR 2.0 s"
    assert "difference from the image: 0.0" in printed
    assert [line.split()[0] for line in printed[-3:]] == ["features", "fc", "tangent"]


def test_time_series_of_abide(tmp_path: Path, shared: Path) -> None:
    tutorial = Tutorial("timeseries.md", tmp_path)
    abide(tmp_path / "data/abide")
    tutorial.changes = {"atlas_dir": str(shared / "atlases")}
    tutorial.follow()
