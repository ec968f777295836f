"""The rule `finetune`: fine-tune a model on a phenotype, split by split and on everybody."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from semantoks.artifacts.timeseries import iter_scans, read_manifest
from semantoks.errors import UserError
from semantoks.finetune.files import save_predictor
from semantoks.finetune.people import People
from semantoks.finetune.scoring import FineTuning, typical_epochs
from semantoks.finetune.settings import FinetuneSettings
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.files.match import require_fit
from semantoks.model.network.encoder import Encoder
from semantoks.scores.probe.alignment import count_without_features
from semantoks.scores.probe.row_files import read_problem, row_metadata, write_row
from semantoks.system.memory import advise_when_out_of_memory, keep_freed_memory

PROTOCOL = "finetune"
MEMORY_ADVICE = (
    "Lower finetune.batch_size, give the job more memory, or use a GPU that no other job uses."
)
log = logging.getLogger(__name__)


@advise_when_out_of_memory(MEMORY_ADVICE)
def finetune(
    settings: FinetuneSettings,
    *,
    model: Path,
    timeseries: Sequence[Path],
    splits: Path,
    representation: str,
    save: Path,
    out: Path,
    config: Path | None = None,
    threads: int = 1,
) -> list[Path]:
    """Write the scores of a model that is fine-tuned on each split, and a model of everybody.

    Parameters
    ----------
    settings : FinetuneSettings
    model : Path
        ``encoder.safetensors``, with ``config.json`` in the same folder.
    timeseries : sequence of Path
        Files of `semantoks.artifacts.timeseries`. Scans of the participants are in memory at once.
    splits : Path
        Table of splits of the phenotype.
    representation : str
        Name of the row in tables.
    save : Path
        ``encoder.safetensors`` of the model that is trained on all participants, for as many epochs
        as were typically the best of the splits; ``config.json``, ``README.md``,
        ``head.safetensors`` and ``head.json`` are written beside it.
    out : Path
        Scores (Parquet), as `probe` writes them, with a column ``epochs``.
    config : Path, optional
        ``config.json`` of `model`, so that its hash is recorded.
    threads : int
        CPU threads.

    Returns
    -------
    list of Path
        `out`, its predictions, its (no) scores of permutations, and the files of the model.

    Raises
    ------
    UserError
        If a file does not fit the model, too many participants have no usable scan, a training part
        is too small, the training diverges, or memory runs out.
    """
    keep_freed_memory()
    torch.set_num_threads(threads)
    problem, encoder = read_problem(splits), _load(model, timeseries, settings)
    people = People.of(iter_scans(timeseries), problem.ids, encoder)
    without_scans = _count_without_scans(people, representation)
    fine_tuning = FineTuning(encoder.to(_device()), people, problem, settings)
    result = fine_tuning.score()
    epochs = typical_epochs(result.scores)
    log.info("training on all %d participants for %d epochs", len(problem.ids), epochs)
    predictor = fine_tuning.train_on_everybody(epochs)
    metadata = row_metadata(
        problem,
        result,
        representation=representation,
        features=predictor.head.in_features,
        protocol=PROTOCOL,
    )
    written = write_row(out, result, metadata | {"people_without_features": without_scans})
    summary = _summary(result.scores, settings, epochs)
    return written + save_predictor(save, predictor, problem, model, summary)


def _load(model: Path, timeseries: Sequence[Path], settings: FinetuneSettings) -> Encoder:
    """Load the encoder, after a check that it fits the time series."""
    if not timeseries:
        raise UserError("Fine-tuning needs files of time series, found none. Name some.")
    encoder = load_encoder(model)
    for path in timeseries:
        require_fit(encoder, read_manifest(path), str(path), settings.allow_mismatch)
    return encoder


def _count_without_scans(people: People, representation: str) -> int:
    """Count participants without a usable scan, and refuse if they are too many."""
    count = count_without_features(people.has_scan, representation)
    if count:
        log.warning(
            "%d of %d participants have no usable scan for %s. They are predicted as if nothing "
            "was known of them, which lowers its scores.",
            *(count, len(people.scans), representation),
        )
    return count


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _summary(scores: pd.DataFrame, settings: FinetuneSettings, epochs: int) -> dict[str, Any]:
    """Sum up the training, and what the same training reached on the splits."""
    metrics = ("balanced_accuracy", "auroc", "pearson_r", "mae")
    means = {name: float(scores[name].mean()) for name in metrics if name in scores}
    return {
        "epochs": epochs,
        "splits": len(scores),
        # NaN is no JSON.
        "test_scores": {name: value for name, value in means.items() if value == value},
        "settings": settings.training.model_dump(mode="json"),
    }
