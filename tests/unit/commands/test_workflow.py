"""`semantoks run`: which command it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from semantoks.__main__ import main
from semantoks.commands import workflow
from semantoks.commands.snakefile import snakefile
from semantoks.commands.workflow import run_workflow
from semantoks.errors import UserError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Commands that are started instead of Snakemake, in an empty folder."""
    commands = list[list[str]]()

    def run(command: list[str], _: object) -> int:
        commands.append(command[3:])
        return 3 if "model" in command else 0

    monkeypatch.setattr(workflow, "_watched", run)
    monkeypatch.chdir(tmp_path)
    return commands


def test_the_configuration_of_init_is_run(
    started: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("semantoks.yaml").touch()
    Path("config.yaml").touch()
    # As in a container that is limited to two of the cores of its host.
    monkeypatch.setattr(workflow, "cpu_count", lambda: 2)
    assert main(["run"]) == 0
    end = ["--snakefile", str(snakefile()), "--configfile", "semantoks.yaml", "--cores", "2"]
    assert started == [end]
    assert "results/report/index.html (open it" in capsys.readouterr().out


def test_options_of_snakemake_are_passed_on_and_its_status_returned(
    started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.yaml").touch()
    words = ["run", "model", "--configuration", "mine.yaml", "--cores", "3", "--keep-going"]
    assert main(words) == 3
    (command,) = started
    assert command[:2] == ["model", "--keep-going"]
    assert command[-4:] == ["--configfile", "mine.yaml", "--cores", "3"]
    assert "Report" not in capsys.readouterr().out


@pytest.mark.parametrize("cores", ["two", "0", "-1", ""])
def test_cores_are_checked_here(
    started: list[list[str]], capsys: pytest.CaptureFixture[str], cores: str
) -> None:
    Path("semantoks.yaml").touch()
    with pytest.raises(SystemExit, match="2"):
        main(["run", f"--cores={cores}"])
    assert not started
    assert f"'{cores}' is neither a number of cores nor 'all'" in capsys.readouterr().err


def test_an_unknown_option_is_named_without_what_follows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["init", "--outt", "mine.yaml", "folder"])
    assert "unrecognized arguments: --outt;" in capsys.readouterr().err


def test_options_keep_their_values(started: list[list[str]]) -> None:
    Path("semantoks.yaml").touch()
    words = ["report", "--forcerun", "index", "--config", "a=1", "--cores", "2", "-j1"]
    assert main(["run", *words]) == 0
    assert started[0][:6] == ["report", "--forcerun", "index", "--config", "a=1", "-j1"]


def test_a_line_that_is_no_yaml_is_named(
    started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("semantoks.yaml").write_text("atlas: cc200\ndatasets:\n\tmine: {}\n")
    assert main(["run"]) == 1 and not started
    assert "semantoks.yaml, line 3, column 1: no valid YAML (found" in capsys.readouterr().err


def test_a_dry_run_is_shown_in_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").touch()

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, "probe   2\ntotal   2\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["run", "--configuration", "mine.yaml", "--dry-run"]) == 0
    assert "to do for mine.yaml: 2 steps (2 probe)" in capsys.readouterr().out


def test_without_a_configuration_it_says_how_to_get_one(
    started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run"]) == 1
    assert started == []
    assert "There is no semantoks.yaml here. `semantoks init FOLDER`" in capsys.readouterr().err


def test_who_ends_the_command_ends_snakemake() -> None:
    code = (
        "import os, sys; from semantoks.commands.workflow import _watched;"
        "wait = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)';"
        "sys.exit(_watched([sys.executable, '-c', wait], os.environ))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as command:
        assert command.stderr is not None
        child = int(command.stderr.readline())
        command.terminate()
        assert command.wait(timeout=30) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config", "mine.yaml"], "named by --configuration: not --config mine.yaml"),
        (["--config=mine.yaml"], "named by --configuration: not --config mine.yaml"),
        (["--configfile", "mine.yaml"], "named by --configuration: not --configfile mine.yaml"),
        (["mine.yaml"], "mine.yaml is no target. Name it by --configuration mine.yaml"),
    ],
)
def test_a_configuration_is_named_by_its_own_option(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("datasets: {}")
    with pytest.raises(UserError, match=message):
        run_workflow(None, "1", words)
