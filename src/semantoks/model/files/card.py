"""The page of a model on a hub: what it reads, what it was trained on, and how to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Architecture

TAGS = ("fmri", "neuroimaging", "self-distillation")
NO_LICENCE = "other"  # the hub's word for a licence that it does not know
# Of the last epoch, in the words of the report.
METRICS = {
    "loss": "loss",
    "teacher_effective_rank": "effective rank of embeddings",
    "teacher_token_cosine": "cosine between tokens of a scan",
    "teacher_coding_rate": "coding rate",
}


def hub_card(
    repository: str,
    architecture: Architecture,
    manifest: Manifest,
    training: Mapping[str, Any],
    *,
    datasets: Sequence[str] = (),
    people: int | None = None,
    has_connectome: bool = False,
    licence: str | None = None,
) -> str:
    """Write the page of a trained model as Markdown, with the hub's metadata on top.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    architecture : Architecture
    manifest : Manifest
        Of the time series that it was trained on.
    training : mapping
        Summary of the training, as in ``config.json``.
    datasets : sequence of str
        Names of the data sets that it was trained on, as far as they are known.
    people : int, optional
        How many people it has seen, if it is known.
    has_connectome : bool
    licence : str, optional
        An identifier of the hub, such as ``apache-2.0``.
    """
    tags = ", ".join(TAGS)
    metadata = f"library_name: semantoks\nlicense: {licence or NO_LICENCE}\ntags: [{tags}]\n"
    return "\n".join(
        [
            f"---\n{metadata}---\n",
            f"# {repository.split('/')[-1]}\n",
            *_use(repository, architecture, manifest, has_connectome),
            "\n## Training data\n",
            *_data(training, datasets, people),
            "\n## Time series that it reads\n",
            "`embed` refuses others and names the field that differs; `config.json` lists the "
            "regions in order.\n",
            *_manifest(manifest),
            "\n## Training\n",
            *_training(training),
            "\n## Licence\n",
            _licence(licence),
            "\nMethod: Gijsen, Schulz & Ritter, arXiv 2512.11582. For research only, not for "
            "diagnosis.\n",
        ]
    )


def _use(
    repository: str, architecture: Architecture, manifest: Manifest, has_connectome: bool
) -> list[str]:
    """Say what goes in and comes out."""
    readouts = ["pooled", "networks", "spectrum"]
    readouts += ["coupling", "coupling_gsr", "distilled"] if has_connectome else []
    return [
        f"A self-distilled encoder of regional fMRI time series: {len(manifest.labels)} regions "
        f"in {len(set(manifest.networks))} networks, in windows of {architecture.window} volumes; "
        f"{2 * architecture.width} features.\n",
        "```python\nimport semantoks\n",
        f'model = semantoks.load("{repository}")',
        "features = model.embed(series, repetition_time=2.0)  # array of (regions, volumes)",
        'table = model.embed("timeseries.parquet")  # a row per scan, file of Semantoks\n```\n',
        f"In a configuration of Semantoks: `checkpoint: hf:{repository}`. Readouts: "
        f"{', '.join(f'`{name}`' for name in readouts)}.",
    ]


def _data(training: Mapping[str, Any], datasets: Sequence[str], people: int | None) -> list[str]:
    known = {
        "data sets": ", ".join(datasets) or None,
        "scans": training.get("scans"),
        "people": people,
        "people held out": training.get("held_out_people"),
    }
    return [
        *(f"- {key}: {'not known' if value is None else value}" for key, value in known.items()),
        "\nThe model holds no scan and no id of a person. Scores of people that it has seen are "
        "not those of new people.",
    ]


def _manifest(manifest: Manifest) -> list[str]:
    rows = {
        "atlas": f"{manifest.atlas} (SHA-256 {manifest.atlas_sha256})",
        "space": manifest.space,
        "repetition time": f"{manifest.tr:g} s",
        "band": f"{manifest.high_pass} to {manifest.low_pass} Hz",
        "confounds": manifest.confounds,
        "engine": manifest.engine,
        "networks": ", ".join(dict.fromkeys(manifest.networks)),
    }
    return ["| field | value |", "|---|---|", *(f"| {key} | {rows[key]} |" for key in rows)]


def _training(training: Mapping[str, Any]) -> list[str]:
    plain = {key: value for key, value in training.items() if isinstance(value, int | float)}
    final = training.get("final")
    final = final if isinstance(final, Mapping) else {}
    metrics = {text: final[key] for key, text in METRICS.items() if key in final}
    return [
        *(f"- {key.replace('_', ' ')}: {value}" for key, value in plain.items()),
        *(f"- {text} (last epoch): {value:.4g}" for text, value in metrics.items()),
    ]


def _licence(licence: str | None) -> str:
    if licence:
        return f"{licence}. The terms of the training data may limit the use further."
    return "Not stated: ask the owner before you use it, also for the terms of the training data."
