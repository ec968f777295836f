"""Command line of Semantoks; the only module that prints or exits."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from semantoks import __version__
from semantoks.commands.names import CONFIGURATION
from semantoks.commands.presets import preset_text, row_text
from semantoks.commands.run import run_stage
from semantoks.commands.snakefile import snakefile
from semantoks.commands.stage import Stage
from semantoks.commands.stages import STAGES
from semantoks.commands.status import status
from semantoks.commands.why import why
from semantoks.config import json_schema
from semantoks.config.guide import guide
from semantoks.errors import UserError, disk_sentence, printable


def _parser() -> argparse.ArgumentParser:
    """Build the parser: commands about results first, then one per stage."""
    parser = argparse.ArgumentParser(
        prog="semantoks", description="From raw BIDS fMRI data to phenotype scores."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="command",
        title="commands",
        description="First those about results, then the stages that the workflow runs.",
    )
    _add_init(commands.add_parser("init", help="Look at a folder, and write a configuration."))
    work = commands.add_parser("run", help="Run the workflow in this folder.")
    work.description = (
        "Run the workflow in this folder by Snakemake. Options that are not listed are passed "
        "to it, such as --dry-run or --workflow-profile."
    )
    work.add_argument(
        "targets",
        nargs="*",
        metavar="target",
        help="timeseries, model, embeddings, benchmarks, report, or a file (default: all).",
    )
    work.add_argument(
        "--configuration",
        type=Path,
        metavar="FILE",
        help="Configuration (default: semantoks.yaml, or else config.yaml).",
    )
    work.add_argument("--cores", default="all", help="CPU cores (default: all).")
    work.add_argument(
        "--verbose", action="store_true", help="Show all that Snakemake and the stages print."
    )
    explain = commands.add_parser("why", help="Show how a file was made.")
    explain.add_argument("file", type=Path, help="A file below results/.")
    overview = commands.add_parser("status", help="Show what is done and what is excluded.")
    overview.add_argument(
        "results",
        type=Path,
        nargs="?",
        default=Path("results"),
        help="Folder of the results (default: results).",
    )
    upload = commands.add_parser("push", help="Put a trained model on the Hugging Face hub.")
    upload.add_argument("folder", type=Path, help="Its folder: results/models/NAME.")
    upload.add_argument("repository", metavar="owner/name", help="Made if it does not exist.")
    upload.add_argument(
        "--public", action="store_true", help="Everybody may see it (default: private)."
    )
    upload.add_argument("--licence", help="Such as apache-2.0; stands in the model card.")
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
        _add_stage(commands.add_parser(stage.command, help=stage.help), stage)
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


class _OneLine(logging.Formatter):
    """Messages may have names from a stranger's files, which must not command a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return printable(super().formatMessage(record))


def _log(arguments: argparse.Namespace) -> None:
    label = " ".join(filter(None, [arguments.command, getattr(arguments, "label", "")]))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(f"[%(asctime)s {label}] %(message)s", "%H:%M:%S"))
    # Not the root logger, to which all libraries would log at this level as well.
    logger = logging.getLogger("semantoks")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _print_lines(lines: Iterable[str]) -> None:
    print("\n".join(map(printable, lines)))


def _run(arguments: argparse.Namespace) -> None:
    """Run the command and print what it returns."""
    if arguments.command == "init":
        # Imported here: environments of single stages need not have what it reads.
        from semantoks.commands.init.command import init

        given = {key: getattr(arguments, key) for key in ("participants", "size", "atlas")}
        given |= {"repetition_time": arguments.repetition_time}
        _print_lines(init(arguments.folder, arguments.out, **given))
    elif arguments.command == "why":
        _print_lines(why(arguments.file))
    elif arguments.command == "status":
        _print_lines(status(arguments.results))
    elif arguments.command == "push":
        # PyTorch takes seconds to import, which no other of these commands needs.
        from semantoks.model.files.upload import push

        print(
            push(
                arguments.folder,
                arguments.repository,
                public=arguments.public,
                licence=arguments.licence,
            )
        )
    elif arguments.command == "snakefile":
        print(snakefile())
    elif arguments.command == "preset":
        print(preset_text(arguments.name), end="")
    elif arguments.command == "row":
        print(row_text(arguments.name, arguments.keys), end="")
    elif arguments.command == "schema":
        print(json.dumps(json_schema(), indent=2))
    elif arguments.command == "guide":
        print(guide(), end="")
    else:
        stage = STAGES[arguments.command.replace("-", "_")]
        options = {option.name: getattr(arguments, option.name) for option in stage.options}
        run_stage(stage, arguments.settings, arguments.out, options)
    # Flush where `main` can catch the error of a closed pipe; at exit it no longer could.
    sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    """Run one command; return 0 if it worked, 1 after one sentence about what is wrong."""
    parser = _parser()
    arguments, others = parser.parse_known_args(argv)
    if others and arguments.command != "run":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    _log(arguments)
    try:
        if arguments.command == "run":
            # Imported here: only this command needs rich.
            from semantoks.commands.workflow import run_workflow

            words = [*arguments.targets, *others]
            return run_workflow(
                arguments.configuration, arguments.cores, words, is_verbose=arguments.verbose
            )
        _run(arguments)
    except UserError as error:
        return _fail(arguments, str(error))
    except MemoryError:
        return _fail(arguments, "Out of memory. Give the job more, or less data.")
    except BrokenPipeError:
        # The reader has left (`semantoks status | head`); Python flushes stdout once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sentence = disk_sentence(error, getattr(arguments, "out", None))
        if sentence is None:
            raise
        return _fail(arguments, sentence)
    return 0


def _fail(arguments: argparse.Namespace, sentence: str) -> int:
    print(f"Error in {arguments.command}: {printable(sentence)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
