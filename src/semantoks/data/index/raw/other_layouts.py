"""The BOLD runs of a raw data set that does not follow BIDS, found by templates."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pandas as pd

from semantoks.config import IndexedDataset
from semantoks.data.index.files import version_of, without_duplicates
from semantoks.data.index.raw.headers import Header
from semantoks.data.index.shards import RawScan, scan_table
from semantoks.data.index.stacked import TemplateRun, runs_by_template
from semantoks.errors import UserError
from semantoks.gate import Gate

TASK = "rest"  # if neither template nor `task` names it; BIDS names need one
Images = dict[tuple[str, str], list[TemplateRun]]


def find_by_templates(bids: Path, dataset: IndexedDataset) -> pd.DataFrame:
    """List the raw runs that `template` finds, with the T1w images that `t1w_template` finds.

    Parameters
    ----------
    bids : Path
        The data set.
    dataset : IndexedDataset

    Returns
    -------
    DataFrame
        The columns of `RawScan`, one row per run, sorted. Ids begin with ``sub-``.

    Raises
    ------
    UserError
        When there are no such runs.
    """
    with Gate(bids, [Path(folder) for folder in dataset.link_targets]) as gate:
        t1w: Images = defaultdict(list)
        for run in runs_by_template(gate, dataset.t1w_template or "", stacks=False):
            t1w[_label("sub", run.entities), _session(run.entities)].append(run)
        runs = list(runs_by_template(gate, dataset.template or "", stacks=True))
        scans = [_describe(gate, run, t1w, dataset.task or TASK) for run in runs]
        if dataset.task is not None:
            scans = [scan for scan in scans if scan.task == dataset.task]
        gate.require_followed(scan.problem for scan in scans)
        gate.report()
    if not scans:
        raise UserError(
            f"{bids} has no BOLD image named {dataset.template}. Correct `path`, `template` or "
            "`task` of the data set."
        )
    return without_duplicates(scan_table(scans, RawScan), "bold")


def _describe(gate: Gate, run: TemplateRun, t1w: Images, task: str) -> RawScan:
    """Collect what preprocessing needs of a run."""
    entities = run.entities
    participant, session = _label("sub", entities), _session(entities)
    # An image without a session in its path is that of all sessions.
    anatomy = t1w.get((participant, session)) or t1w.get((participant, "")) or []
    task = _bare("task", entities["task"]) if "task" in entities else task
    number = _bare("run", entities.get("run", ""))
    labels = (participant, session, f"task-{task}", number and f"run-{number}")
    scan = "_".join(filter(None, labels))
    image = anatomy[0] if len(anatomy) == 1 else None
    files = [*run.files, *(image.files if image else ())]
    return RawScan(
        scan=scan,
        participant_id=participant,
        session=session,
        task=task,
        run=str(int(number)) if number.isdecimal() else number,
        bold=run.path.relative_to(gate.root).as_posix(),
        t1w=image.path.relative_to(gate.root).as_posix() if image else "",
        slice_encoding_direction="k",
        version=version_of(*(path for path in files if not gate.departure_of(path))),
        problem=_problem_of_names(labels) or _problem_of_files(gate, run, anatomy),
    )


def _problem_of_names(labels: tuple[str, ...]) -> str:
    for label in filter(None, labels):
        if not re.fullmatch(r"[a-z]+-[A-Za-z0-9]+", label):
            return (
                f"'{label}' cannot be part of a BIDS name, since it has more than letters and "
                "digits: put what surrounds the label into the template"
            )
    return ""


def _problem_of_files(gate: Gate, run: TemplateRun, anatomy: list[TemplateRun]) -> str:
    if len(anatomy) > 1:
        names = ", ".join(image.path.name for image in anatomy)
        return f"several files of one scan (say which T1w image with `t1w_template`): {names}"
    for image in (run, *anatomy):
        problem = image.problem(gate)
        if problem:
            return problem
        if not Header.of(image.files[0]).is_oriented:
            return f"{image.path.name} has no orientation (qform and sform are not set)"
    return ""


def _bare(entity: str, label: str) -> str:
    return label.removeprefix(f"{entity}-")


def _label(prefix: str, entities: dict[str, str]) -> str:
    return f"{prefix}-{_bare(prefix, entities['participant'])}"


def _session(entities: dict[str, str]) -> str:
    label = entities.get("session", "")
    return label and f"ses-{_bare('ses', label)}"
