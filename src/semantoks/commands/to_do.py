"""What `semantoks run` would do now, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semantoks.commands.dry_run import dry_run, run_in_progress, summary_of
from semantoks.commands.workflow import snakemake_command


def to_do_lines(config: Path) -> Iterator[str]:
    """Yield lines about the steps that are left.

    Parameters
    ----------
    config : Path
        The configuration.
    """
    status, lines = dry_run(snakemake_command(config, "1", ["--dry-run"]))
    if status != 0:
        error = next((line for line in lines if "Error" in line), f"exit status {status}")
        yield f"to do: not known, because Snakemake cannot plan. {error}"
        return
    yield from run_in_progress()
    yield from summary_of(lines, config.name)
