"""The stages on the command line: settings, options and messages."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest

from semantoks.__main__ import main
from semantoks.commands.run import listed, read_settings
from semantoks.commands.stages import STAGES
from semantoks.config import Config
from semantoks.errors import UserError
from semantoks.system.job_files import JobFiles
from tests.workspaces import ROOT, environment


def rules() -> set[str]:
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    blocks = [re.split(r"^(?:rule|checkpoint) ", text, flags=re.M)[1:] for text in texts]
    return {rule.split(":")[0] for block in blocks for rule in block if "shell:" in rule}


def test_each_rule_is_a_stage() -> None:
    assert rules() == set(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_is_a_folder_with_a_function_of_its_name(name: str) -> None:
    stage = STAGES[name]
    folders = {"get_atlas": "atlas", "get_model": "files"}
    assert stage.package.split(".")[-1] == folders.get(name, name)
    module = import_module(f"semantoks.{stage.package}.stage")
    arguments = set(signature(getattr(module, name)).parameters)
    assert arguments == {"settings", "out", *(option.name for option in stage.options)}
    settings = import_module(f"semantoks.{stage.package}.settings")
    assert stage.settings.__module__ == settings.__name__


@pytest.mark.parametrize("name", ["choose", "benchmark", "vary"])
def test_small_stages_start_without_what_takes_seconds_to_import(name: str) -> None:
    """A plan has a job of each for every phenotype."""
    heavy = {"sklearn", "scipy.stats", "matplotlib", "torch"}
    module = f"semantoks.{STAGES[name].package}.stage"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--verion"], "there is no option '--verion'; did you mean '--version'?"),
        (["stauts"], "there is no command 'stauts'; did you mean 'status'?"),
        (["xyzzy"], "there is no command 'xyzzy'. `semantoks --help` lists them"),
        (["status", "--outt", "x"], "--outt; `semantoks status --help` lists what it takes"),
    ],
)
def test_wrong_words_are_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert sentence in capsys.readouterr().err.splitlines()[-1]


def test_without_words_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Look at a folder, and write a configuration." in capsys.readouterr().out


@pytest.mark.parametrize("name", STAGES)
def test_every_option_has_a_help_text(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([STAGES[name].command, "--help"])
    text = capsys.readouterr().out
    options = re.split(r"^  (?=-)", text.split("options:")[1], flags=re.M)[1:]
    assert len(options) == len(STAGES[name].options) + 4  # help, out, settings, label
    assert all(len(option.split()) > 2 for option in options)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("pretrain", {"modell": {}}, "unknown key 'modell'; did you mean 'model'?"),
        (
            "pretrain",
            {"model": {"training": {"epoch": 3}}},
            "unknown key 'model.training.epoch'; did you mean 'model.training.epochs'?",
        ),
        ("split", {}, "'name' is missing (name of the phenotype); add it."),
        ("split", {"name": "age", "phenotype": {"kind": "class"}}, "phenotype.kind is 'class'"),
        ("embed", {"readout": "pool"}, "readout is 'pool'; did you mean 'pooled'?"),
        ("embed", {"version": 1}, "is for version 1 of `embed`, which is now version 9"),
    ],
)
def test_wrong_settings_are_one_sentence(
    name: str, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError) as error:
        read_settings(STAGES[name], json.dumps(settings))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["nowhere.json", "[1]", "{1}"])
def test_settings_that_are_not_json(text: str) -> None:
    with pytest.raises(UserError, match="--settings of embed|nowhere.json"):
        read_settings(STAGES["embed"], text)


def test_settings_may_be_a_file_and_have_defaults(tmp_path: Path) -> None:
    (tmp_path / "embed.json").write_text('{"readout": "networks"}')
    settings = read_settings(STAGES["embed"], str(tmp_path / "embed.json"))
    assert settings.model_dump()["readout"] == "networks"
    for name in ("simulate", "index", "preprocess", "scans", "pretrain", "represent", "probe"):
        read_settings(STAGES[name], "{}")


def test_a_missing_input_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "--timeseries", "nowhere.parquet", "--out", "x"]) == 1
    assert capsys.readouterr().err == (
        "Error in pretrain: nowhere.parquet does not exist; `pretrain` reads it.\n"
    )


def test_settings_of_600_phenotypes_are_longer_than_an_argument(tmp_path: Path) -> None:
    """One argument is limited to 128 kB, so the workflow writes settings to a file."""
    phenotypes = {
        f"phenotype {i}": {"kind": "regression", "column": f"column {i}"} for i in range(600)
    }
    config = Config.model_validate({"datasets": {"d": {"path": "data", "phenotypes": phenotypes}}})
    text = json.dumps({"config": config.model_dump(mode="json")})
    assert len(text) > 128 * 1024
    name = JobFiles(tmp_path).write(text, ".json")
    settings = read_settings(STAGES["report"], name).model_dump()
    assert len(settings["config"]["datasets"]["d"]["phenotypes"]) == 600


def test_a_list_of_inputs_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [f"results/timeseries/data set/shard-{i:04d} \udcff.parquet" for i in range(3000)]
    value = JobFiles(Path("files")).write_names(names)
    assert listed([Path("a"), Path(value)]) == [Path("a"), *map(Path, names)]
    assert listed([Path(JobFiles(Path("files")).write_names([]))]) == []
    Path("@x.tsv").touch()
    assert listed([Path("@x.tsv")]) == [Path("@x.tsv")]


def test_a_list_that_is_missing_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scans", "--timeseries", "@nowhere.txt", "--out", "x"]) == 1
    assert capsys.readouterr().err == (
        "Error in scans: @nowhere.txt stands for the files that nowhere.txt lists, one per line, "
        "which cannot be read (No such file or directory).\n"
    )


@pytest.mark.parametrize(
    "rule", sorted((ROOT / "workflow/rules").glob("*.smk")), ids=lambda path: path.name
)
def test_no_rule_has_a_long_list_on_its_command_line(rule: Path) -> None:
    for option in ("timeseries", "scores", "benchmarks", "left-out", "metrics", "cards"):
        assert not re.search(rf"--{option} {{input", rule.read_text())


def test_messages_do_not_command_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of files may have escape codes, line breaks, and bytes that are no UTF-8."""
    # pytest-xdist cannot send such a name to its main process, in a captured log.
    monkeypatch.setattr(logging.getLogger("semantoks"), "propagate", False)
    assert main(["scans", "--timeseries", "a\x1b[2Jb\n\udcffc", "--out", "x"]) == 1
    text = capsys.readouterr().err
    assert text == "Error in scans: a�[2Jb��c does not exist; `scans` reads it.\n"
    logging.getLogger("semantoks").warning("%s", "a\x1b[2Jb\n\udcffc")
    assert capsys.readouterr().err.endswith("] a�[2Jb��c\n")


def test_a_closed_pipe_is_no_error() -> None:
    """As in `semantoks schema | head -1`."""
    command = f"{sys.executable} -m semantoks schema | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")
