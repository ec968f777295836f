"""What `semantoks run` would do now, and why."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from semantoks.commands.dry_run import summary_of
from semantoks.commands.workflow import snakemake_command
from semantoks.errors import printable


def to_do_lines(config: Path) -> Iterator[str]:
    """Yield lines about the steps that are left.

    Parameters
    ----------
    config : Path
        The configuration.
    """
    command = snakemake_command(config, "1", ["--dry-run"])
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    lines = [printable(line) for line in (run.stdout + run.stderr).splitlines()]
    if run.returncode != 0:
        error = next((line for line in lines if "Error" in line), f"exit status {run.returncode}")
        yield f"to do: not known, because Snakemake cannot plan. {error}"
        return
    yield from summary_of(lines, config.name)
