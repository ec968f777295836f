"""Environment files: pinned like `make`'s own, and one for every rule."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PINS = dict(
    match
    for file in ("cuda", "requirements")
    for match in re.findall(r"^([a-z0-9_-]+)==(\S+)", (ROOT / f"envs/{file}.txt").read_text(), re.M)
)


ENVIRONMENTS = ["images", "model", "tables"]


def pins_of(name: str) -> dict[str, str]:
    content = yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())
    pip = next(part["pip"] for part in content["dependencies"] if isinstance(part, dict))
    return dict(requirement.split()[0].split("==") for requirement in pip)


def names_in(file: str) -> set[str]:
    lines = (ROOT / f"envs/{file}").read_text().splitlines()
    return {line.split("==")[0] for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_pins_are_those_of_make(name: str) -> None:
    pins = pins_of(name)
    assert names_in(f"{name}.in") <= set(pins)
    assert {package for package in pins if PINS[package] != pins[package]} == set()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_everything_that_is_installed_has_a_hash(name: str) -> None:
    """pip then refuses a package that was replaced on the index or on the way."""
    content = yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())
    pip = next(part["pip"] for part in content["dependencies"] if isinstance(part, dict))
    assert [line for line in pip if "--hash=sha256:" not in line] == []
    has_cuda = any(line.startswith("nvidia-") for line in pip)
    assert has_cuda == ("torch" in pins_of(name))
    assert "--hash=sha256:" in (ROOT / "envs/uv.txt").read_text()
    for name_of_recipe in ("Makefile", "envs/Dockerfile", "envs/semantoks.def"):
        recipe = (ROOT / name_of_recipe).read_text()
        assert "-r envs/uv.txt" in recipe and not re.search(r"\buv==", recipe)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_packages_bring_along_is_pinned_too(name: str) -> None:
    pins, left_out = pins_of(name), names_in("cuda.in")
    for package in pins.keys() - left_out:
        needed = (Requirement(line) for line in metadata.requires(package) or [])
        here = {canonicalize_name(r.name) for r in needed if not r.marker or r.marker.evaluate()}
        assert here - left_out <= set(pins), package


def test_every_direct_requirement_is_locked() -> None:
    assert names_in("requirements.in") <= set(PINS)


def test_the_libraries_of_a_gpu_are_apart() -> None:
    pinned = set(re.findall(r"^([a-z0-9_-]+)==", (ROOT / "envs/cuda.txt").read_text(), re.M))
    here = re.findall(r"^([a-z0-9_-]+)==", (ROOT / "envs/requirements.txt").read_text(), re.M)
    assert pinned == names_in("cuda.in") and not pinned & set(here)


def test_every_rule_that_runs_something_has_an_environment() -> None:
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^(?:rule|checkpoint) ", path.read_text(), flags=re.M)[1:]:
            if "shell:" in rule:
                named = re.search(r'conda:\s+(#.*\s+)?"../../envs/[\w{}]+\.yaml"', rule)
                assert named, rule.split(":")[0]
                assert "log:" in rule, rule.split(":")[0]


@pytest.mark.parametrize(
    ("file", "package"),
    [("slurm.txt", "snakemake-executor-plugin-slurm"), ("docs.txt", "sphinx")],
)
def test_what_is_added_goes_with_the_rest(file: str, package: str) -> None:
    found = re.findall(r"^([a-z0-9_-]+)==(\S+)", (ROOT / "envs" / file).read_text(), re.M)
    assert package in dict(found)
    assert [name for name, version in found if PINS.get(name, version) != version] == []


def test_container_images_are_in_order() -> None:
    """Docker's file by a linter; Apptainer's has the same base, folders and installation."""
    docker, apptainer = ROOT / "envs/Dockerfile", (ROOT / "envs/semantoks.def").read_text()
    done = subprocess.run(["hadolint", docker], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    lines = docker.read_text().replace("\\\n", "").splitlines()
    (base,) = (line.split()[1] for line in lines if line.startswith("FROM "))
    assert f"From: {base}\n" in apptainer
    copied = {word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]}
    for name in copied - {"envs/uv.txt", "envs/requirements.txt", "envs/cuda.txt"}:
        assert (ROOT / name).exists()
        assert f"    {name} /opt/semantoks/{name}\n" in apptainer
    (install,) = (line for line in lines if "uv pip install" in line)
    for command in install.removeprefix("RUN ").split("&&"):
        assert command.strip() in apptainer


def test_a_plan_loads_no_tables() -> None:
    """A plan of 40,000 people may take 200 MB; pandas and pyarrow take 70 of them."""
    text = (ROOT / "workflow/rules/common.smk").read_text()
    imports = re.findall(r"^ *((?:from semantoks[\w.]* import .+|import semantoks.*))$", text, re.M)
    assert imports
    ask = "import sys; print(sorted({'pandas', 'pyarrow', 'torch'} & set(sys.modules)))"
    code = "\n".join([*(line.strip() for line in imports), ask])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
