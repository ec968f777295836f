"""The wheel in an environment of its own, outside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import semantoks
from tests.workspaces import ROOT, SMALL

pytestmark = pytest.mark.slow

PRETRAIN_ON_ARRAYS = """
import sys
from pathlib import Path
import numpy as np
from semantoks.config import Pretraining
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.pretrain.stage import pretrain_arrays

rng = np.random.default_rng(0)
scans = [rng.standard_normal((6, 60)).astype("float32") for _ in range(8)]
settings = Pretraining.model_validate_json(sys.argv[1])
pretrain_arrays(scans, ["A", "A", "A", "B", "B", "B"], settings, Path("arrays"))
print(load_encoder("arrays").embed_networks.__name__)
"""
USE_FROM_PYTHON = """
import numpy as np, pandas as pd, semantoks

rng = np.random.default_rng(0)
scans = [rng.standard_normal((6, 60)) for _ in range(40)]
features = semantoks.Embedder("arrays", repetition_time=2.0).fit_transform(scans)
people = pd.DataFrame({"participant_id": [f"p{n:02d}" for n in range(40)], "sex": ["f", "m"] * 20})
scores = semantoks.score(
    features, people, "sex", kind="classification", repeats=2, permutations=0,
    baselines={"noise": rng.standard_normal((40, 3))},
)
print(semantoks.__all__, scores.index.get_level_values("representation").tolist())
"""
DATASET = {
    "source": "timeseries",
    "simulate": {"participants": 40, "two_sessions": 0, "seconds": 130},
    "phenotypes": {"trait": "regression"},
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the checkout and install it, with what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], source)
    (wheel,) = (source / "dist").glob("*.whl")
    venv, wheels = folder / "venv", os.environ.get("PIP_FIND_LINKS")
    run(["uv", "venv", "-q", "--python", sys.executable, str(venv)], folder)
    run(
        [
            *("uv", "pip", "install", "-q", "--python", str(venv / "bin/python")),
            *("--constraint", str(ROOT / "envs/requirements.txt")),
            *(["--find-links", wheels] if wheels else []),
            f"{wheel}[workflow]",
        ],
        folder,
    )
    shutil.rmtree(source)
    return venv / "bin"


def run(command: list[str], folder: Path, bin_folder: Path | None = None) -> str:
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    if bin_folder is not None:
        variables["PATH"] = f"{bin_folder}:{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done.stdout


def test_the_command_is_on_the_path(environment: Path, tmp_path: Path) -> None:
    assert run(["semantoks", "--version"], tmp_path, environment) == f"{semantoks.__version__}\n"
    schema = json.loads(run(["semantoks", "schema"], tmp_path, environment))
    committed = json.loads((ROOT / "workflow/schemas/config.schema.json").read_text())
    assert schema == committed
    module = "import semantoks; print(semantoks.__file__)"
    assert str(environment.parent) in run(["python", "-c", module], tmp_path, environment)


def test_a_model_is_pretrained_on_arrays(environment: Path, tmp_path: Path) -> None:
    tiny = SMALL["models"]["tiny"]
    settings = json.dumps({key: tiny[key] for key in ("architecture", "training")})
    command = ["python", "-c", PRETRAIN_ON_ARRAYS, settings]
    assert "embed_networks" in run(command, tmp_path, environment)
    assert (tmp_path / "arrays/encoder.safetensors").exists()
    printed = run(["python", "-c", USE_FROM_PYTHON], tmp_path, environment)
    assert printed == f"{semantoks.__all__} ['features', 'noise']\n"


def test_the_workflow_of_the_wheel_runs_to_its_report(environment: Path, tmp_path: Path) -> None:
    config = {
        "datasets": {"toy": DATASET},
        "parcellation": {"motion": "basic"},
        "models": SMALL["models"],
        "baselines": ["fc", "confounds"],
        "stacked": False,
        "probe": {"repeats": 2, "inner_folds": 2, "permutations": 20, "learning_curve": []},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    snakefile = run(["semantoks", "snakefile"], tmp_path, environment).strip()
    assert str(environment.parent) in snakefile
    command = ["snakemake", "-s", snakefile, "--cores", "2", "--configfile", "mine.yaml"]
    run(command, tmp_path, environment)
    run([*command, "--report", "report.html"], tmp_path, environment)
    status = run(["semantoks", "status"], tmp_path, environment)
    assert "report: results/report/index.html" in status
    assert "model tiny: trained for 4 epochs" in status
    run(
        ["snakemake", "-s", snakefile, "--configfile", "mine.yaml", "--report"],
        tmp_path,
        environment,
    )
    page = (tmp_path / "report.html").read_text()
    assert "index.html" in page
