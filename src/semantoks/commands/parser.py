"""Arguments of the command line."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from semantoks import __version__
from semantoks.commands.names import CONFIGURATION, TARGETS
from semantoks.commands.stage import Stage
from semantoks.commands.stages import STAGES
from semantoks.config.suggestions import near


class _Parser(argparse.ArgumentParser):
    """A parser that suggests a command instead of listing those of all stages."""

    _given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._given = sys.argv[1:] if args is None else args
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        unknown = re.match(
            r"argument command: invalid choice: '([^']*)' \(choose from (.*)", message
        )
        if unknown:
            meant = near(unknown[1], re.findall(r"[\w-]+", unknown[2]))
            hint = f"; did you mean {' or '.join(meant)}?" if meant else "."
            message = f"there is no command '{unknown[1]}'{hint} `semantoks --help` lists them"
        elif self._given and message.endswith("required: command"):
            meant = near(self._given[0], ["--version", "--help"])
            hint = f"; did you mean {' or '.join(meant)}?" if meant else "."
            message = f"there is no option '{self._given[0]}'{hint}"
        super().error(message)


def make_parser() -> argparse.ArgumentParser:
    """Build the parser: the commands of users first, then one per stage."""
    stages = ", ".join(stage.command for stage in STAGES.values())
    parser = _Parser(
        prog="semantoks",
        description="From raw BIDS fMRI data to phenotype scores.",
        epilog=textwrap.fill(
            f"The workflow runs its stages by commands, too: {stages}.", break_on_hyphens=False
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="command",
        title="commands",
        parser_class=argparse.ArgumentParser,
    )
    _add_init(commands.add_parser("init", help="Look at a folder, and write a configuration."))
    _add_run(commands.add_parser("run", help="Run the workflow in this folder."))
    explain = commands.add_parser("why", help="Show how a file was made.")
    explain.add_argument("file", type=Path, help="A file below results/.")
    _add_status(commands.add_parser("status", help="Show what is done, excluded and left to do."))
    _add_push(commands.add_parser("push", help="Put a trained model on the Hugging Face hub."))
    commands.add_parser("snakefile", help="Print the path of the workflow, for snakemake -s.")
    preset = commands.add_parser("preset", help="Show what a preset of a data set sets, and why.")
    preset.add_argument("name", nargs="?", help="Name (default: list all).")
    row = commands.add_parser("row", help="Print the configuration of a row of the paper.")
    row.add_argument("name", nargs="?", help="Name (default: list all).")
    row.add_argument(
        "keys", nargs="*", metavar="KEY=VALUE", help="As for snakemake --config: path=… table=…"
    )
    commands.add_parser("schema", help="Print the JSON schema of the configuration.")
    commands.add_parser("guide", help="Print the guide to every key of the configuration.")
    for stage in STAGES.values():
        _add_stage(commands.add_parser(stage.command), stage)  # not listed without a help
    return parser


def _add_init(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `init`."""
    parser.description = (
        "Look at a folder of raw BIDS data, fMRIPrep derivatives or regional time series, and "
        "write a commented configuration to start from. Nothing in the folder is changed."
    )
    parser.add_argument("folder", type=Path, help="The data set.")
    parser.add_argument(
        "--out", type=Path, default=CONFIGURATION, help=f"File to write (default: {CONFIGURATION})."
    )
    parser.add_argument(
        "--participants", type=Path, metavar="TABLE", help="Table of participants, if not found."
    )
    parser.add_argument(
        "--size", choices=("small", "paper"), default="small", help="Of the model (default: small)."
    )
    parser.add_argument("--atlas", help="Atlas of time series, if it is not recognised.")
    parser.add_argument(
        "--repetition-time",
        type=float,
        metavar="SECONDS",
        help="TR of time series that do not state it.",
    )


def _add_status(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `status`."""
    parser.description = (
        "Show which time series, models and scores there are, which scans are excluded for which "
        "reason, and, if there is a configuration, which steps are left to do and why."
    )
    parser.add_argument(
        "results",
        type=Path,
        nargs="?",
        default=Path("results"),
        help="Folder of the results (default: results).",
    )
    _add_configuration(parser)


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--configuration",
        type=Path,
        metavar="FILE",
        help="Configuration (default: semantoks.yaml, or else config.yaml).",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `run`; the rest is for Snakemake, in the order of the command line."""
    parser.usage = "semantoks run [options] [target ...] [options of Snakemake ...]"
    parser.description = (
        f"Run the workflow in this folder by Snakemake. Targets: {TARGETS}, or a file (default: "
        "all). Options that are not listed are passed to Snakemake, such as --dry-run, "
        "--forcerun index or --workflow-profile FOLDER."
    )
    # --config is an option of Snakemake and not short for --configuration.
    parser.allow_abbrev = False
    _add_configuration(parser)
    parser.add_argument(
        "--cores", type=_cores, default="all", help="CPU cores (default: all that may be used)."
    )
    parser.add_argument(
        "--verbose", action="store_true", help="Show all that Snakemake and the stages print."
    )


def _cores(text: str) -> str:
    """Check the number of cores; Snakemake answers a wrong one with all of its options."""
    if text != "all" and not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"'{text}' is neither a number of cores nor 'all'")
    return text


def _add_push(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="Its folder: results/models/NAME.")
    parser.add_argument("repository", metavar="owner/name", help="Made if it does not exist.")
    parser.add_argument(
        "--public", action="store_true", help="Everybody may see it (default: private)."
    )
    parser.add_argument("--licence", help="Such as apache-2.0; stands in the model card.")


def _add_stage(parser: argparse.ArgumentParser, stage: Stage) -> None:
    parser.description = f"{stage.help}\n\n{_settings_help(stage)}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for option in stage.options:
        parser.add_argument(option.flag, **option.parser_arguments())
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help=stage.out)
    parser.add_argument(
        "--settings",
        default="{}",
        metavar="JSON",
        help="JSON, or the name of a JSON file; the keys are listed above.",
    )
    parser.add_argument("--label", default="", help="Shown at the start of each line of the log.")


def _settings_help(stage: Stage) -> str:
    """List the keys of ``--settings``; docs/configuration.md documents those below them."""
    fields = {name: f for name, f in stage.settings.model_fields.items() if name != "version"}
    lines = [
        f"  {name}: {field.description}{' (required)' if field.is_required() else ''}"
        for name, field in fields.items()
    ]
    return "\n".join(["keys of --settings:", *lines] if lines else ["It has no settings."])
