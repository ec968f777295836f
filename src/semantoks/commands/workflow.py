"""`semantoks run`: the workflow of this installation, by Snakemake."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from joblib import cpu_count
from rich.console import Console

from semantoks.commands.configuration import read_configuration
from semantoks.commands.display import Display, elapsed
from semantoks.commands.dry_run import dry_run, run_in_progress, summary_of
from semantoks.commands.names import CONFIGURATION
from semantoks.commands.snakefile import snakefile
from semantoks.errors import UserError

REPORT = Path("results/report/index.html")
_NAMES = (CONFIGURATION, Path("config.yaml"))


def run_workflow(
    config: Path | None, cores: str, targets: Sequence[str], *, is_verbose: bool = False
) -> int:
    """Run Snakemake in this folder, and return its exit status.

    Parameters
    ----------
    config : Path, optional
        Default: ``semantoks.yaml``, or else ``config.yaml``.
    cores : str
        A number, or ``all`` that this process may use.
    targets : sequence of str
        Named targets or files, and options of Snakemake, in any order (default: everything).
    is_verbose : bool
        Show all that Snakemake and the stages print.

    Raises
    ------
    UserError
        When there is no configuration, or Snakemake is not installed.
    """
    if not has_snakemake():
        raise UserError(
            "Snakemake is not installed. Install it with the package: pip install "
            "'semantoks[workflow]'."
        )
    _require_own_option(targets)
    chosen = config or configuration_here()
    if chosen is None or not chosen.is_file():
        raise UserError(
            f"There is no {chosen or CONFIGURATION} here. `semantoks init FOLDER` writes one for "
            "your data; another name follows --configuration."
        )
    read_configuration(chosen)  # Snakemake does not say which line is wrong
    # "all" of Snakemake are those of the machine, also in a container that may use a few of them.
    command = snakemake_command(chosen, str(cpu_count()) if cores == "all" else cores, targets)
    if is_verbose:
        print(shlex.join(command), file=sys.stderr)
    # Jobs call `python`, which has to be this one.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path}
    if not is_verbose and not {"-n", "--dry-run", "--dryrun"}.isdisjoint(targets):
        return _planned(command, environment, chosen.name)
    started = time.monotonic()
    status = _watched(command, environment) if not is_verbose else _passed_on(command, environment)
    if status == 0:
        print(f"Done in {elapsed(time.monotonic() - started)}.")
        if targets:
            print(f"Results: {REPORT.parents[1].resolve()}")
        else:
            print(f"Report: {REPORT.resolve()} (open it in a browser)")
    return status


def _require_own_option(words: Sequence[str]) -> None:
    """Refuse a configuration that is named by an option of Snakemake.

    Snakemake fails at ``--config FILE`` with a traceback, and ours would overrule ``--configfile``.
    """
    for word, following in itertools.zip_longest(words, words[1:], fillvalue=""):
        option, _, value = word.partition("=")
        value = value or following
        if option == "--configfile" or (option == "--config" and "=" not in value):
            raise UserError(f"A configuration is named by --configuration: not {option} {value}.")
    if words and words[0].endswith((".yaml", ".yml")) and Path(words[0]).is_file():
        raise UserError(f"{words[0]} is no target. Name it by --configuration {words[0]}.")


def _planned(command: Sequence[str], environment: Mapping[str, str], config: str) -> int:
    """Show in short what a dry run prints; return its exit status."""
    status, lines = dry_run(command, environment)
    if status == 0:
        print("\n".join([*run_in_progress(), *summary_of(lines, config)]))
    else:
        Display(Console(stderr=True)).show(lines)
    return status


def has_snakemake() -> bool:
    """Whether Snakemake is installed."""
    return find_spec("snakemake") is not None


def configuration_here() -> Path | None:
    """Return the configuration in this folder, ``semantoks.yaml`` or else ``config.yaml``."""
    return next((name for name in _NAMES if name.is_file()), None)


def snakemake_command(config: Path, cores: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line of Snakemake, with the workflow of this installation."""
    # The user's words first, in their order: what follows them begins with an option.
    command = [sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(snakefile())]
    return [*command, "--configfile", str(config), "--cores", cores]


def _watched(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command and show its progress; return its exit status."""
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    with (
        subprocess.Popen(
            command, env=environment, stdout=pipe, stderr=both, text=True, errors="replace"
        ) as process,
        _passing_on_sigterm(process),
    ):
        try:
            Display(Console(stderr=True)).show(process.stdout or ())
        except KeyboardInterrupt:
            # The terminal has interrupted Snakemake, too, which now ends its jobs.
            print("Interrupted; finished work is kept.", file=sys.stderr)
        return process.wait()


@contextmanager
def _passing_on_sigterm(process: subprocess.Popen[str]) -> Iterator[None]:
    """Let a process end when this one is asked to: its jobs would go on without a master."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _passed_on(command: Sequence[str], environment: Mapping[str, str]) -> int:
    return subprocess.run(command, env=environment, check=False).returncode
