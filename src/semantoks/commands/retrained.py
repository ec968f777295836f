"""Models that will be trained again because the data sets have changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semantoks.artifacts.files import read_json
from semantoks.artifacts.provenance import sidecar
from semantoks.config import Config


def retrained_lines(config: Config, results: Path) -> Iterator[str]:
    """Yield a line for each model on all data sets that was trained on others than there are now.

    Nothing here imports pandas or PyTorch, since Snakemake's own process prints the lines with its
    plan.

    Parameters
    ----------
    config : Config
    results : Path
    """
    for name, model in config.models.items():
        record = sidecar(results / "models" / name / "encoder.safetensors")
        if model.checkpoint or model.datasets or not record.exists():
            continue
        folders = [Path(path).parent for path in read_json(record)["inputs"]]
        # results/timeseries/<dataset>/<file>. If people are held out, tables of scans are inputs.
        trained_on = {folder.name for folder in folders if folder.parent.name == "timeseries"}
        changes = [
            f"{', '.join(sorted(datasets))} {verb}"
            for datasets, verb in (
                (set(config.datasets) - trained_on, "added"),
                (trained_on - set(config.datasets), "removed"),
            )
            if datasets
        ]
        if changes:
            yield (
                f"Model {name} has no `datasets`, which means all: it will be trained again, with "
                f"{' and '.join(changes)}. To keep it as it is, set models.{name}.datasets to "
                f"[{', '.join(sorted(trained_on))}]."
            )
