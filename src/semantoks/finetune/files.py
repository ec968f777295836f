"""The model that was fine-tuned on everybody: a folder that `embed` takes, and its head."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from semantoks.artifacts.files import write_json
from semantoks.finetune.goals import Numbers, goal_of
from semantoks.finetune.network import Predictor
from semantoks.model.files.checkpoint import CONFIG, read_description, save
from semantoks.model.files.tensors import write_tensors
from semantoks.scores.probe.problem import Problem
from semantoks.scores.probe.targets import ClassificationTargets

HEAD, PREDICTS = "head.safetensors", "head.json"


def save_predictor(
    encoder: Path, predictor: Predictor, problem: Problem, base: Path, training: Mapping[str, Any]
) -> list[Path]:
    """Write the model of everybody.

    Parameters
    ----------
    encoder : Path
        ``encoder.safetensors`` to write; the other files are beside it.
    predictor : Predictor
    problem : Problem
        What it predicts, of whom.
    base : Path
        Weights that fine-tuning began with.
    training : mapping
        Summary of the fine-tuning, with JSON values.

    Returns
    -------
    list of Path
        Weights of the encoder, their description, the head and what it predicts.
    """
    folder = encoder.parent
    pretraining = read_description(base.with_name(CONFIG)).training if _has_config(base) else {}
    summary = {
        "fine_tuned_on": problem.metadata.phenotype,
        "people": len(problem.participants),
        "note": "Its embeddings know the phenotype of these people: they are no test of it.",
        "fine_tuning": dict(training),
        "pretraining": dict(pretraining),
    }
    save(predictor.encoder, folder, summary)
    state = predictor.state_dict()
    names = ("mean_F", "deviation_F", "head.weight", "head.bias")
    tensors = {name.removeprefix("head.").removesuffix("_F"): state[name] for name in names}
    write_tensors(folder / HEAD, tensors)
    write_json(folder / PREDICTS, _predicts(problem) | {"training": dict(training)})
    return [encoder, folder / CONFIG, folder / HEAD, folder / PREDICTS]


def _predicts(problem: Problem) -> dict[str, Any]:
    """Say what the outputs of the head are."""
    everybody = np.arange(len(problem.participants))
    targets = problem.targets(everybody)
    content: dict[str, Any] = {
        "phenotype": problem.metadata.phenotype,
        "kind": problem.metadata.kind,
        "people": len(everybody),
        "input": "the pooled embedding (mean token, then [CLS]) of each window",
        "outputs": "weight @ ((embedding - mean) / deviation) + bias, averaged over the windows of "
        "a scan and the scans of a person",
    }
    if isinstance(targets, ClassificationTargets):
        return content | {"classes": targets.class_names, "then": "softmax: balanced classes"}
    goal = goal_of(targets, everybody)
    assert isinstance(goal, Numbers)  # of numbers
    return content | {
        "then": "output * scale + offset",
        "scale": goal.deviation,
        "offset": goal.mean,
    }


def _has_config(base: Path) -> bool:
    return base.suffix == ".safetensors" and base.with_name(CONFIG).exists()
