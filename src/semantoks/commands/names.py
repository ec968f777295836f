"""Names of files that commands write and read."""

from __future__ import annotations

from pathlib import Path

# `init` writes it, and `run` takes it if nothing else is named.
CONFIGURATION = Path("semantoks.yaml")
