"""Hostile names in data sets: no shell runs them, no path escapes, no HTML is injected."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.workspaces import ROOT, Workspace, environment

pytestmark = pytest.mark.slow

# Each creates a file "pwned" if a shell evaluates it.
TOUCH = ("$(touch pwned)", "`touch pwned`", "; touch pwned;", "| touch pwned", "&& touch pwned &&")
HTML = "<script>alert(1)</script>"
COLUMN = f"gr'oup\" {TOUCH[0]} {HTML}"
SITE_COLUMN = "si\\te {input} %s"
SITES = [*TOUCH, HTML, "../../../etc", "a\"b'c", "Μόναχο 名前", "x" * 300, "{wildcards.dataset}"]
PARTICIPANTS = 44


def write(folder: Path, participants: list[str]) -> None:
    """Write a participants table, and a time series for each participant."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    lines = ["\t".join(["participant_id", COLUMN, SITE_COLUMN])]
    for number, participant in enumerate(participants):
        group, site = (HTML, TOUCH[1])[number % 2], SITES[number % len(SITES)]
        lines.append("\t".join([participant, group, site]))
        signals = rng.standard_normal((150, 300)).cumsum(axis=0) * 0.1
        np.save(folder / f"{participant}.npy", signals + rng.standard_normal((150, 300)))
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def configure(folder: Path) -> Workspace:
    """Write a configuration without a model, with participant labels in the report."""
    dataset = {
        "source": "timeseries",
        "path": "data",
        "template": "{participant}.npy",
        "repetition_time": 2.0,
        "shards": 2,
        "site_column": SITE_COLUMN,
        "phenotypes": {"group (Ä)": {"kind": "classification", "column": COLUMN}},
    }
    content = {
        "datasets": {"given": dataset},
        "baselines": ["fc", "confounds"],
        "parcellation": {"min_dof": 5, "min_seconds": 60},
        "probe": {"repeats": 2, "inner_folds": 2, "permutations": 9, "learning_curve": []},
        "report": {"participants": True},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    return Workspace(folder)


def test_hostile_names_are_harmless(tmp_path: Path) -> None:
    hostile = [
        "a b",
        "it's",
        "x;touch pwned",
        "$(touch pwned)",
        "名前",
        "{shard}",
        "-rf",
        "`touch pwned`",
    ]
    write(tmp_path / "data", [*hostile, *(f"p{i:02d}" for i in range(PARTICIPANTS - len(hostile)))])
    workspace = configure(tmp_path)
    workspace.run()
    assert [path for path in tmp_path.parent.rglob("*pwned*") if path.suffix != ".npy"] == []
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == [
        *("data", "logs", "mine.yaml", "resources", "results")
    ]
    page = (tmp_path / "results/report/index.html").read_text()
    assert HTML not in page and "&lt;script&gt;" in page
    assert (tmp_path / "results/benchmarks/given/group (Ä).json").exists()


def test_modules_beside_the_configuration_are_not_imported(tmp_path: Path) -> None:
    """`python -m` looks in the work folder first, and matplotlib for its settings."""
    write(tmp_path / "data", [f"p{i:02d}" for i in range(PARTICIPANTS)])
    code = "from pathlib import Path\nPath(__file__).with_name('pwned').touch()\n"
    for name in ("pydantic", "numpy", "pandas", "json", "semantoks/__init__", "sitecustomize"):
        (tmp_path / name).with_suffix(".py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(code)
    (tmp_path / "matplotlibrc").write_text("font.size: none\nbackend: module://pydantic\n")
    workspace = configure(tmp_path)
    # As the command `snakemake`, which does not put the work folder first itself.
    command = [str(Path(sys.executable).with_name("snakemake")), *workspace.command()[3:]]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list(tmp_path.rglob("pwned"))
    assert "matplotlibrc" not in done.stderr and "font.size" not in done.stderr


@pytest.mark.parametrize(
    ("name", "sentence"), [('it\'s a "fork" & more', ""), ("a {fork}", "has a brace")]
)
def test_the_path_of_the_checkout(tmp_path: Path, name: str, sentence: str) -> None:
    write(tmp_path / "data", [f"p{i:02d}" for i in range(PARTICIPANTS)])
    workspace = configure(tmp_path)
    (tmp_path / name).mkdir()
    for part in ("workflow", "src", "profiles", "envs"):
        shutil.copytree(ROOT / part, tmp_path / name / part)
    for part in ("Snakefile", "config.yaml"):
        shutil.copy2(ROOT / part, tmp_path / name / part)
    paths = ["--snakefile", str(tmp_path / name / "Snakefile"), "--configfile", "mine.yaml"]
    paths += ["--workflow-profile", str(tmp_path / name / "profiles/default")]
    done = subprocess.run(
        [*workspace.command()[:3], "--cores", "2", *paths, "results/scans/given.parquet"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == (not sentence), done.stderr[-3000:]
    assert sentence in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["../up", "a/b", "$(touch pwned)", "a\nb", 'a"b', "x" * 101, ""])
def test_unsafe_phenotype_name_is_rejected(tmp_path: Path, name: str) -> None:
    write(tmp_path / "data", [f"p{i:02d}" for i in range(4)])
    workspace = configure(tmp_path)
    content = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    content["datasets"]["given"]["phenotypes"] = {name: "classification"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    done = workspace.run("--dry-run", check=False)
    assert done.returncode != 0
    assert "cannot be the name of a phenotype" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_file_is_world_writable(finished: Workspace) -> None:
    for path in finished.folder.rglob("*"):
        assert path.is_symlink() or not path.stat().st_mode & 0o002, path
