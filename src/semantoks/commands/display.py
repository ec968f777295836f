"""What `semantoks run` shows of Snakemake's output: one line that moves, and what matters."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from semantoks.commands.names import TARGETS
from semantoks.config.suggestions import near
from semantoks.errors import printable

_TOTAL = re.compile(r"total +(\d+)$")
_STEPS = re.compile(r"(\d+) of (\d+) steps \(\d+%\) done")
_FINISHED = re.compile(r"Finished jobid: \d+ \(Rule: (\w+)\)")
# Of a stage, as `semantoks.__main__` formats it: time, stage, label, message.
_STAGE = re.compile(r"\[\d\d:\d\d:\d\d ([^\]]+)\] (.*)")
_DONE = "done in "
_PROGRESS = re.compile(rf"\d+ of \d+ |epoch \d+|{_DONE}")
QUIET_SECONDS = 30  # without a terminal, progress of a stage is printed after so long
# Of Snakemake: a target that is no rule and no file of one, or a rule for many files.
_NO_TARGET = re.compile(r"No rule to produce (.+?) \(if you use|Target rules may not contain")
LOCKED = (
    "Another run is in this folder, or one that was killed left its lock. If no run is left on any "
    "machine: semantoks run --unlock"
)
# Of argparse, behind the list of all options of Snakemake.
_USAGE, _WRONG_OPTION = "usage: ", re.compile(r"\S+: error: (.+)")
_FAILED = "Error in "  # of a stage
# Of Snakemake: what it is about to do, and when.
_NOISE = re.compile(
    r"$|\[\w{3} \w{3} +\d+ |Execute \d+ jobs|Select jobs|Using |Assuming |Building DAG|Provided |"
    r"Rules claiming|Conda environments|Singularity|Job stats|job +count|-+ +-+|\w+ +\d+$|"
    r"MissingRuleException|DAG of jobs|Updating checkpoint|Complete log|Elapsed time|"
    r"Nothing to be done|Shutting down|Exiting because|WorkflowError:$|"
    r"LockException|If you are sure that no other|"
    r"At least one job did not complete|The job returned non-zero|\(command exited with"
)


def _whole() -> Column:
    return Column(no_wrap=True)


def elapsed(seconds: float) -> str:
    """Write a time as 1:02:03."""
    return str(timedelta(seconds=int(seconds)))


@dataclass
class Display:
    """Passes on what a user should read, and counts the rest.

    Attributes
    ----------
    console : Console
    finished : list of str
        Steps since the last count: the label of each, as ``probe demo trait fc``, or its rule.
    """

    console: Console
    finished: list[str] = field(default_factory=list)
    _labels: list[str] = field(default_factory=list)  # of stages that said that they are done
    _errors: list[str] = field(default_factory=list)
    _last: str = ""  # line that was printed
    _is_usage: bool = False
    _messages: set[str] = field(default_factory=set)
    _printed: float = field(default_factory=time.monotonic)  # when the last line was

    def show(self, lines: Iterable[str]) -> None:
        """Show lines of Snakemake as they come.

        Parameters
        ----------
        lines : iterable of str
        """
        columns = (
            TextColumn("{task.completed:.0f} of {task.total:.0f} steps", table_column=_whole()),
            BarColumn(bar_width=self.console.width // 8, table_column=_whole()),
            TimeElapsedColumn(table_column=_whole()),
            TextColumn("elapsed,", table_column=_whole()),
            TimeRemainingColumn(table_column=_whole()),
            TextColumn("left", table_column=_whole()),
            # In a narrow terminal, what is left of the line.
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
        )
        is_live = self.console.is_terminal
        progress = Progress(
            *columns,
            console=self.console,
            disable=not is_live,
            expand=True,
            # Steps differ in length by a factor of 100; their mean over the run jumps the least.
            speed_estimate_period=24 * 3600,
        )
        started = time.monotonic()
        with progress:
            bar = progress.add_task("starting", total=None, visible=False)
            for line in lines:
                text = printable(line.rstrip("\n"))
                if number := _TOTAL.match(text):
                    progress.update(bar, total=int(number[1]), visible=True)
                elif steps := _STEPS.match(text):
                    done, total = map(int, steps.groups())
                    progress.update(bar, completed=done, total=total, visible=True)
                    if not is_live:
                        since = elapsed(time.monotonic() - started)
                        named = ", ".join(self.finished)
                        self._print(f"{since} {done} of {total} steps: {named}")
                    self.finished.clear()
                elif rule := _FINISHED.match(text):
                    self.finished.append(self._label_of(rule[1]))
                elif (stage := _STAGE.match(text)) and _PROGRESS.match(stage[2]):
                    if stage[2].startswith(_DONE):
                        self._labels.append(stage[1])
                    progress.update(bar, description=f"{stage[1]}: {stage[2]}"[:100])
                    if not is_live and time.monotonic() - self._printed > QUIET_SECONDS:
                        self._print(text)
                elif stage:
                    self._print_once(stage[2], text)
                else:
                    self._pass_on(text)
        self._repeat_error()

    def _label_of(self, rule: str) -> str:
        """Return what the first stage of a rule is called that is done, else the rule."""
        # A rule of one data set has its name, too.
        names = {label: label.split() for label in self._labels}
        of_rule = (n for n, words in names.items() if rule in (words[0], "_".join(words[:2])))
        label = next(of_rule, None)
        if label is None:
            return rule
        self._labels.remove(label)
        return label

    def _repeat_error(self) -> None:
        """Print the first error again, if steps beside the one that failed have printed more."""
        if self._errors and self._last not in self._errors:
            self._print(self._errors[0])

    def _pass_on(self, text: str) -> None:
        """Print what else Snakemake says, if it is for users, and its riddles in other words."""
        if self._is_usage or text.startswith(_USAGE):
            wrong = _WRONG_OPTION.match(text)
            self._is_usage = not wrong
            if wrong:
                self._print(f"{wrong[1]}. Options: semantoks run --help, snakemake --help")
        elif missing := _NO_TARGET.search(text):
            named = f"target '{missing[1]}'" if missing[1] else "target of this name"
            meant = near(missing[1] or "", TARGETS.split(", "))
            question = f"; did you mean {' or '.join(meant)}?" if meant else "."
            self._print(f"There is no {named}{question} Name one of {TARGETS}, or a file.")
        elif "Directory cannot be locked" in text:
            self._print(LOCKED)
        elif not _NOISE.match(text):
            if text.startswith(_FAILED):
                self._errors.append(text)
            self._print(text)

    def _print_once(self, message: str, text: str) -> None:
        """Print the first of messages that several jobs of a kind have in common."""
        if message not in self._messages:
            self._messages.add(message)
            self._print(text)

    def _print(self, text: str) -> None:
        self._printed, self._last = time.monotonic(), text
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)
