"""Defects of the reference implementation that must not occur here, each with its test.

Tests of a single module are in the module's test file; the others are below. `TESTED` names them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from semantoks.config import Probe
from semantoks.data.signals import clean, resample_time
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.files.checkpoint import load_encoder, save
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from tests.unit.model.conftest import SIZES, WIDTH
from tests.unit.scores.conftest import problem_of

TESTED = {
    "gradients and covariance not reduced over processes": (
        "test_two_processes_and_accumulation_train_the_same_model"
    ),
    "schedules wrong under gradient accumulation": (
        "test_two_processes_and_accumulation_train_the_same_model"
    ),
    "nothing saved by default": "test_model_metrics_and_summary_are_written",
    "fewer scans than a batch: no step, but success": "test_fewer_scans_than_a_batch",
    "a NaN in region 0 zeroes the scan": ("test_missing_region_is_set_to_zero_in_its_scan_only"),
    "a NaN in another region crashes the probe": (
        "test_unknown_values_count_as_the_training_mean_and_constants_as_nothing"
    ),
    "short scans padded with zeros": "test_short_scans_are_padded_and_the_padding_masked",
    "windows of another length crash": "test_windows_of_other_lengths",
    "the required distance of the two crops is ignored": (
        "test_overlap_is_limited_where_the_scan_is_long_enough"
    ),
    "weight decay on biases, norms and tokens": "test_biases_norms_and_embeddings_do_not_decay",
    "splits depend on Python's hash seed": "test_splits_do_not_depend_on_the_hash_seed",
    "regression target not scaled": "test_scores_do_not_depend_on_the_unit_of_the_target",
    "the file's TR ignored, no anti-aliasing": "test_resampling_does_not_alias",
    "the saved model shares memory with the trained weights": (
        "test_saved_model_does_not_change_with_further_training"
    ),
    "the loss depends on the batch size without a warning": "test_fewer_scans_than_a_batch",
}


@pytest.mark.parametrize("defect", TESTED)
def test_every_defect_has_its_test(defect: str) -> None:
    sources = [path.read_text() for path in Path(__file__).parent.rglob("test_*.py")]
    assert sum(f"def {TESTED[defect]}(" in source for source in sources) == 1


def test_splits_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import pandas as pd; from semantoks.config import Splitting, Phenotype;"
        "from semantoks.scores.split.draw import draw;"
        "g = [f'f{i // 2}' for i in range(80)];"
        "s = list('AAAABBBBCCCCDDDD') * 5;"
        "t = pd.DataFrame({'target': list('aabb' * 20), 'site': s, 'group': None});"
        "p = Phenotype(kind='classification');"
        "print([draw(t.assign(group=x), p, Splitting()) for x in (None, g)])"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path("src").resolve())},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert b"random 99" in runs[0]
    assert b"site D" in runs[0]


def test_scores_do_not_depend_on_the_unit_of_the_target() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((60, 5))
    years = features[:, 0] + 0.5 * rng.standard_normal(60)
    tables = [
        score_features(problem_of(target), [Features(features)], Probe(repeats=2)).scores
        for target in (years, 1e4 * years + 3e6)
    ]
    for metric, factor in (("pearson_r", 1), ("r2", 1), ("mae", 1e4)):
        np.testing.assert_allclose(tables[1][metric], factor * tables[0][metric])


def test_resampling_does_not_alias() -> None:
    time = np.arange(600) * 0.8  # a TR of 0.8 s; at 2 s, 0.45 Hz would alias to 0.05 Hz
    slow, fast = np.sin(2 * np.pi * 0.05 * time), np.sin(2 * np.pi * 0.45 * time)
    both = np.stack([slow, slow + 3 * fast], axis=1)
    cleaned = resample_time(clean(both, None, 0.8, 0.1, 0.01), 0.8, 2.0)
    assert len(cleaned) == 240
    middle = cleaned[90:-90]  # without the edge effects of the filter
    np.testing.assert_allclose(middle[:, 1], middle[:, 0], atol=0.1)
    period = np.fft.rfftfreq(len(middle), 2.0)[np.abs(np.fft.rfft(middle[:, 0])).argmax()]
    assert period == pytest.approx(0.05, abs=0.007)


def test_saved_model_does_not_change_with_further_training(tmp_path: Path) -> None:
    model = SelfDistillation(Encoder(SIZES, ["a", "a", "b"]), Projector(WIDTH, 8, 4))
    save(model, tmp_path)
    x_BCT = torch.randn(2, 3, 20)
    before = model.teacher.embed(x_BCT).detach()
    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.add_(1.0)
    model.update_teacher(1, 2)
    torch.testing.assert_close(load_encoder(tmp_path).embed(x_BCT), before)
    assert not torch.allclose(model.teacher.embed(x_BCT), before)
