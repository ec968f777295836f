"""Command line: ``python -m semantoks <stage> …``; parse, read, call, write.

The only module that prints or exits.
"""

from __future__ import annotations

import argparse
import errno
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from semantoks import __version__
from semantoks.artifacts.provenance import explain, record, verified
from semantoks.commands.stages import STAGES, Stage
from semantoks.commands.status import status
from semantoks.config import json_schema
from semantoks.config.guide import guide
from semantoks.errors import UserError

DISK = {
    errno.ENOSPC: "the disk is full. Make room and run the same command again.",
    errno.EDQUOT: "your quota is used up. Make room and run the same command again.",
    errno.EROFS: "the disk is read-only. Work in another folder (snakemake --directory).",
    errno.EACCES: "you may not write there. Work in another folder (snakemake --directory).",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m semantoks", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, stage in STAGES.items():
        _add_stage(commands.add_parser(name, help=stage.about), stage)
    why = commands.add_parser("why", help="say how a file came to be")
    why.add_argument("file", type=Path)
    overview = commands.add_parser("status", help="say what is done and what is left out")
    overview.add_argument("results", type=Path, nargs="?", default=Path("results"))
    commands.add_parser("schema", help="print the JSON schema of the configuration")
    commands.add_parser("guide", help="print the guide to every key of the configuration")
    return parser


def _add_stage(parser: argparse.ArgumentParser, stage: Stage) -> None:
    for option in stage.one:
        parser.add_argument(f"--{option}", type=Path, required=True)
    for option in stage.many:
        parser.add_argument(f"--{option}", type=Path, nargs="*", required=True)
    for option in stage.text:
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--settings", type=json.loads, default={}, metavar="JSON")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory", type=int, default=0, metavar="MB", help="0: not known")
    parser.add_argument(
        "--running",
        type=json.loads,
        default={},
        metavar="JSON",
        help="settings that change how a program is run and not what it makes",
    )
    parser.add_argument("--label", default="", help="what progress lines are headed by")


def _inputs(arguments: argparse.Namespace, stage: Stage) -> list[Path]:
    values = vars(arguments)
    one = [values[option.replace("-", "_")] for option in stage.one]
    many = [path for option in stage.many for path in values[option]]
    return one + many


def _run(arguments: argparse.Namespace) -> None:
    stage, started = STAGES[arguments.command], time.monotonic()
    settings: dict[str, Any] = dict(arguments.settings)
    settings.pop("version", None)  # only there so that a changed stage runs again
    for path in _inputs(arguments, stage):
        if not path.exists():
            raise UserError(f"{path} does not exist; `{arguments.command}` reads it.")
    inputs = verified(_inputs(arguments, stage))
    beside = stage.run(arguments, settings) or []
    seconds = time.monotonic() - started
    for output in [arguments.out, *beside]:
        record(output, arguments.command, arguments.settings, inputs, seconds)
    logging.getLogger("semantoks").info("done in %.1f s", seconds)


def _log(arguments: argparse.Namespace) -> None:
    label = " ".join(filter(None, [arguments.command, getattr(arguments, "label", "")]))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"[%(asctime)s {label}] %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("semantoks")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with one sentence when the user can mend it."""
    arguments = _parser().parse_args(argv)
    _log(arguments)
    try:
        if arguments.command == "why":
            print("\n".join(explain(arguments.file)))
        elif arguments.command == "status":
            print("\n".join(status(arguments.results)))
        elif arguments.command == "schema":
            print(json.dumps(json_schema(), indent=2))
        elif arguments.command == "guide":
            print(guide(), end="")
        else:
            _run(arguments)
    except (UserError, ValidationError) as error:
        return _say(arguments, str(error))
    except MemoryError:
        return _say(arguments, "Memory ran out. Give the job more, or a smaller part of the data.")
    except OSError as error:
        if error.errno not in DISK:
            raise
        where = getattr(arguments, "out", None) or error.filename
        return _say(arguments, f"{where} cannot be written: {DISK[error.errno]}")
    return 0


def _say(arguments: argparse.Namespace, sentence: str) -> int:
    print(f"Error in {arguments.command}: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
