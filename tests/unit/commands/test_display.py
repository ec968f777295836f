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
    assert second == "0:00:00 1 of 74 steps: simulate"
    assert third == "Error in parcellate: [bold]There is no x.[/bold]"


def test_without_a_terminal_each_step_is_named() -> None:
    lines = [
        "[14:07:06 probe demo trait fc] done in 3.1 s",
        "[14:07:07 probe demo group fc] done in 4.1 s",
        "[14:07:07 probe abide fc] done in 9.1 s",
        "Finished jobid: 8 (Rule: probe)",
        "Finished jobid: 9 (Rule: probe)",
        "Finished jobid: 10 (Rule: probe_abide)",
        "9 of 35 steps (26%) done",
    ]
    stream = StringIO()
    Display(Console(file=stream, width=200)).show(lines)
    steps = "probe demo trait fc, probe demo group fc, probe abide fc"
    assert stream.getvalue() == f"0:00:00 9 of 35 steps: {steps}\n"


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
        "There is no target 'modle'; did you mean 'model'? Name one of timeseries, scan_pages, "
        "model, embeddings, benchmarks, importance, scaling, variants, report, or a file.\n"
    )


def test_without_a_terminal_long_stages_are_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "QUIET_SECONDS", -1)
    stream = StringIO()
    Display(Console(file=stream, width=200)).show(LINES.splitlines())
    assert "epoch 5/125, step 4/8: loss -2.0" in stream.getvalue()


def test_a_narrow_terminal_keeps_the_step_and_the_times() -> None:
    stream = StringIO()
    console = Console(file=stream, width=80, force_terminal=True, color_system=None)
    long = "[14:07:07 pretrain semantoks] epoch 29/75, step 1/1: loss -2.091 (cls -2.091, ttr 0.1)"
    Display(console).show([*LINES.splitlines(), long])
    *_, last = (line for line in stream.getvalue().splitlines() if "steps" in line)
    assert "1 of 74 steps" in last and "elapsed," in last and "left pretrain semantoks" in last


def test_a_failed_run_ends_with_its_cause() -> None:
    stream = StringIO()
    stock = ["Shutting down, this might take some time.", "WorkflowError:"]
    stock.append("At least one job did not complete successfully.")
    Display(Console(file=stream, width=200)).show([*LINES.splitlines(), *stock])
    assert stream.getvalue().splitlines()[-1] == "Error in parcellate: [bold]There is no x.[/bold]"


def test_the_cause_is_said_again_behind_what_other_steps_print() -> None:
    stream = StringIO()
    after = "[14:08:00 index demo] 3 scans have no repetition time."
    Display(Console(file=stream, width=200)).show([*LINES.splitlines(), after])
    *_, notice, last = stream.getvalue().splitlines()
    assert notice == after and last == "Error in parcellate: [bold]There is no x.[/bold]"


def test_an_option_that_is_not_known_is_one_line() -> None:
    stream = StringIO()
    lines = ["usage: snakemake [-h] [--dry-run]", "                 [--profile PROFILE]", ""]
    lines.append("__main__.py: error: unrecognized arguments: --configuratoin")
    Display(Console(file=stream, width=200)).show(lines)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("unrecognized arguments: --configuratoin. Options: semantoks run --help")


def test_a_lock_is_explained() -> None:
    stream = StringIO()
    said = ["LockException:", "Error: Directory cannot be locked. Please make sure that no other"]
    said += ["/home/me/study", "If you are sure that no other instances of snakemake are running"]
    Display(Console(file=stream, width=200)).show(said)
    assert stream.getvalue().splitlines() == [display.LOCKED, "/home/me/study"]


def test_the_first_long_step_is_not_silent() -> None:
    stream = StringIO()
    console = Console(file=stream, width=100, force_terminal=True, color_system=None)
    Display(console).show(LINES.splitlines()[:8])
    assert "0 of 74 steps" in stream.getvalue()
    assert "simulate corpus: 8 of 400 participants" in stream.getvalue()
