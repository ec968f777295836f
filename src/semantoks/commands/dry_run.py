"""What a dry run of Snakemake prints, in short: how many steps of each rule, and why."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from semantoks.errors import printable
from semantoks.system.run_folder import RunFolder

_MISSING = "output files have to be generated"
# Snakemake's reasons, in words for users. Others are shown as they are.
REASONS = {
    _MISSING: "not made yet",
    "input files updated by another job": "their input is made again",
    "params have changed since last execution": "settings changed",
    "updated input files": "input changed",
    "set of input files has changed since last execution": "other input files",
    "code has changed since last execution": "the workflow changed",
    "software environment definition has changed since last execution": "the environment changed",
}
FOLLOWING = ("input files updated by another job",)
# Rules of a data set have its name, which may have dashes.
_COUNT = re.compile(r"([\w-]+) +(\d+)$")
_HELPERS = ("all", "total")  # no steps of their own


def dry_run(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run a dry run; return its exit status and the lines that it prints."""
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    return run.returncode, [printable(line) for line in (run.stdout + run.stderr).splitlines()]


def summary_of(lines: Sequence[str], config: str) -> Iterator[str]:
    """Yield what a dry run printed, in short.

    Parameters
    ----------
    lines : sequence of str
        Printed by Snakemake.
    config : str
        Name of the configuration.
    """
    # The table of steps is printed twice, at the beginning and at the end.
    counts = {match[1]: int(match[2]) for line in lines if (match := _COUNT.match(line))}
    steps = {rule: count for rule, count in counts.items() if rule not in _HELPERS}
    if not steps:
        yield f"to do: nothing, the results are those of {config}"
        return
    listed = ", ".join(f"{count} {rule}" for rule, count in steps.items())
    total = sum(steps.values())
    noun = "step" if total == 1 else "steps"
    yield f"to do for {config}: {total} {noun} ({listed}); `semantoks run` does them"
    reasons = dict(_reasons(lines))
    if set(steps) <= set(reasons.get(_MISSING, ())):
        return  # all is new, which needs no reasons
    named: set[str] = set()
    # A rule stands under its first reason: the others follow from it, or are of other jobs of it.
    for reason in sorted(reasons, key=lambda reason: reason in FOLLOWING):
        rules = [rule for rule in reasons[reason] if rule not in named]
        named.update(rules)
        if rules:
            yield f"  {REASONS.get(reason, reason)}: {', '.join(rules)}"


def run_in_progress() -> Iterator[str]:
    """Yield a line about a run in this folder, whose steps a dry run counts until they are done."""
    process = RunFolder(Path.cwd()).running()
    if process is not None:
        yield f"in progress: a run in this folder (process {process}), which does what is to do"


def _reasons(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each reason that Snakemake gives, and the rules that run for it."""
    start = next((n for n, line in enumerate(lines) if line.strip() == "Reasons:"), len(lines))
    reason = ""
    for line in lines[start + 1 :]:
        if not line.startswith("    "):
            return
        if line.startswith("        "):
            rules = [rule for rule in line.strip().split(", ") if rule not in _HELPERS]
            if rules:
                yield reason, rules
        else:
            reason = line.strip().removesuffix(":")
