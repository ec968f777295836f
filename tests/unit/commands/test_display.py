"""What `semantoks run` shows of a run."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from semantoks.commands import display
from semantoks.commands.display import Display

LINES = """\
Building DAG of jobs...
Job stats:
job           count
----------  -------
probe            30
total            74
Execute 2 jobs...
[14:05:35 simulate corpus] 8 of 400 participants, about 9 s left
[14:07:03 parcellate demo 0001] Atlas \x1b[31mred\x1b[0m differs.
[14:07:04 parcellate demo 0002] Atlas \x1b[31mred\x1b[0m differs.
[14:07:05 pretrain semantoks] epoch 5/125, step 4/8: loss -2.0
[14:07:06 pretrain semantoks] done in 3.1 s
[Thu Nov 26 14:07:06 2026]
Finished jobid: 8 (Rule: simulate)
1 of 74 steps (1%) done
Error in parcellate: [bold]There is no x.[/bold]
Complete log(s): /somewhere/.snakemake/log
"""


def test_only_what_matters_is_shown_and_once() -> None:
    """Commands to the terminal in a stranger's names, and markup of rich, are text."""
    stream = StringIO()
    Display(Console(file=stream, width=200)).show(LINES.splitlines(keepends=True))
    first, second, third = stream.getvalue().splitlines()
    assert first.startswith("[14:07:03 parcellate demo 0001] Atlas ") and "\x1b" not in first
    assert second == "1 of 74 steps: simulate"
    assert third == "Error in parcellate: [bold]There is no x.[/bold]"


def test_on_a_terminal_a_line_moves() -> None:
    stream = StringIO()
    console = Console(file=stream, width=200, force_terminal=True)
    Display(console).show(LINES.splitlines())
    assert "1 of 74 steps" in stream.getvalue()
    assert "pretrain semantoks: done in 3.1 s" in stream.getvalue()


def test_a_target_that_is_not_there_is_one_sentence() -> None:
    stream = StringIO()
    lines = [
        "MissingRuleException:",
        "No rule to produce modle (if you use input functions make sure that they don't raise x).",
    ]
    Display(Console(file=stream, width=200)).show(lines)
    assert stream.getvalue() == (
        "There is no target 'modle'. Name one of timeseries, model, embeddings, benchmarks, "
        "report, or a file.\n"
    )


def test_without_a_terminal_long_stages_are_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "QUIET_SECONDS", -1)
    stream = StringIO()
    Display(Console(file=stream, width=200)).show(LINES.splitlines())
    assert "epoch 5/125, step 4/8: loss -2.0" in stream.getvalue()
