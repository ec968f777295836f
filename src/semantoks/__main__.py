"""Command line of Semantoks; the only module that prints or exits."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from semantoks.commands.parser import make_parser
from semantoks.commands.presets import preset_text, row_text
from semantoks.commands.run import run_stage
from semantoks.commands.snakefile import snakefile
from semantoks.commands.stages import STAGES
from semantoks.config import json_schema
from semantoks.config.guide import guide
from semantoks.errors import UserError, disk_sentence, printable


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
    for line in lines:
        print(printable(line), flush=True)


def _run(arguments: argparse.Namespace) -> None:
    """Run the command and print what it returns.

    Imported here is what a command needs and the stages do not: each stage starts this module, and
    pandas, SciPy and scikit-learn take a second; environments of stages may lack the rest.
    """
    if arguments.command == "init":
        from semantoks.commands.init.command import init

        given = {key: getattr(arguments, key) for key in ("participants", "size", "atlas")}
        given |= {"repetition_time": arguments.repetition_time}
        _print_lines(init(arguments.folder, arguments.out, **given))
    elif arguments.command == "why":
        from semantoks.commands.why import why

        _print_lines(why(arguments.file))
    elif arguments.command == "status":
        from semantoks.commands.status import status
        from semantoks.commands.workflow import configuration_here

        # Results elsewhere are of another configuration.
        here = configuration_here() if arguments.results == Path("results") else None
        _print_lines(status(arguments.results, arguments.configuration or here))
    elif arguments.command == "push":
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
    parser = make_parser()
    if not (sys.argv[1:] if argv is None else argv):
        parser.print_help()
        return 2
    arguments, others = parser.parse_known_args(argv)
    if others and arguments.command != "run":
        # The value of an option that is not known may have been taken for another argument.
        unknown = [word for word in others if word.startswith("-")] or others
        options = f"`semantoks {arguments.command} --help` lists what it takes"
        parser.error(f"unrecognized arguments: {' '.join(unknown)}; {options}")
    _log(arguments)
    try:
        if arguments.command == "run":
            # Imported here: only this command needs rich.
            from semantoks.commands.workflow import run_workflow

            return run_workflow(
                arguments.configuration, arguments.cores, others, is_verbose=arguments.verbose
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
