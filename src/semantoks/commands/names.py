"""Names that several commands use: of a file, and of targets."""

from __future__ import annotations

from pathlib import Path

# `init` writes it, and `run` takes it if nothing else is named.
CONFIGURATION = Path("semantoks.yaml")
# Of the workflow, for `run`.
TARGETS = (
    "timeseries, scan_pages, model, embeddings, benchmarks, importance, scaling, variants, report"
)
