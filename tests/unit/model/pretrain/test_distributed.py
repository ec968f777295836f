"""Two processes with half a batch each are one process with the whole batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from semantoks.config import Training
from semantoks.errors import UserError
from semantoks.model.pretrain.schedule import Schedule

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import torch
from semantoks.config import Pretraining
from semantoks.model.pretrain.loop import fit

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(0)
scans = [rng.normal(size=(12, 40)).cumsum(1) for _ in range(20)]
scans = [(x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) for x in scans]
scans[3][:4] = np.nan  # a network that one process has and the other has not
settings = Pretraining.model_validate_json(Path(sys.argv[1]).read_text())
fit(scans, ["a"] * 4 + ["b"] * 3 + ["c"] * 5, settings, Path(sys.argv[2]))
"""

SETTINGS = """{
  "architecture": {
    "window": 20, "patch": 10, "head_width": 8, "depth": 1,
    "projector_hidden": 16, "projector_output": 8,
    "tokenizer": {"dense_channels": 8, "structured_channels": 8}
  },
  "training": {
    "epochs": 4, "batch_size": 8, "warmup_epochs": 1, "learning_rate": 0.1,
    "ttr_fraction": 0.9, "accumulation": %d
  }
}"""


def train(folder: Path, launcher: list[str], accumulation: int = 1) -> None:
    folder.mkdir()
    (folder / "fit.py").write_text(SCRIPT)
    (folder / "settings.json").write_text(SETTINGS % accumulation)
    subprocess.run(
        [sys.executable, *launcher, "fit.py", "settings.json", "out"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path("src").resolve()), "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=120,
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "out" / "encoder.safetensors")


@pytest.mark.slow
def test_two_processes_and_accumulation_train_the_same_model(tmp_path: Path) -> None:
    train(tmp_path / "one", [])
    expected = weights(tmp_path / "one")
    assert expected["cls_embedding"].dtype == torch.float64
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for name, launcher, parts in (
        ("two", torchrun, 1),
        ("parts", [], 3),
        ("two_parts", torchrun, 2),
    ):
        train(tmp_path / name, launcher, parts)
        torch.testing.assert_close(weights(tmp_path / name), expected, rtol=0, atol=1e-6)
        found, metrics = (
            pd.read_parquet(tmp_path / folder / "out" / "metrics.parquet")
            for folder in (name, "one")
        )
        np.testing.assert_allclose(found, metrics, atol=1e-5)


def test_processes_share_the_scans_of_a_batch(caplog: pytest.LogCaptureFixture) -> None:
    schedule = Schedule.plan(Training(batch_size=8), scans=7, processes=2)
    assert schedule.batch == 6
    assert "shrunk to 6" in caplog.text
    with pytest.raises(UserError, match="4 processes need .* found 3 scans"):
        Schedule.plan(Training(batch_size=8), scans=3, processes=4)
