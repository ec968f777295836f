"""What the events of a task hold, as far as the first people show it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from semantoks.config import Dataset, Events
from semantoks.config.events import EV_COLUMNS
from semantoks.errors import UserError
from semantoks.gate import Gate
from semantoks.people.read import read_text_table

SOME_PEOPLE = 3  # whose events are looked at; a network disk takes long for all


def require_events_folder(name: str, dataset: Dataset) -> None:
    """Check that the folder of the events is there.

    Raises
    ------
    UserError
    """
    path = dataset.events.path if dataset.events else None
    if path is not None and not Path(path).is_dir():
        raise UserError(f"datasets.{name}.events.path: there is no folder {path}.")


def event_columns(dataset: Dataset, events: Events) -> list[str] | None:
    """Return the columns of the events of a data set; None if no file was met that tells.

    Parameters
    ----------
    dataset : Dataset
    events : Events
    """
    if events.files:
        return list(EV_COLUMNS)
    root = Path(events.path or dataset.path or "")
    if not root.is_dir():
        return None
    columns = dict[str, None]()
    with Gate(root, [Path(folder) for folder in dataset.link_targets]) as gate:
        people = sorted(path for path in islice(root.glob("sub-*"), SOME_PEOPLE) if path.is_dir())
        walked = [(root, sorted(path.name for path in root.glob("*_events.tsv")))]
        walked += [entry for person in people for entry in gate.walk(person)]
        for folder, names in walked:
            for path in (folder / name for name in names if name.endswith("_events.tsv")):
                try:
                    if not gate.departure_of(path):
                        columns |= dict.fromkeys(read_text_table(path, rows=0).columns)
                except UserError:
                    continue  # `blocks` gives the reason of the run
    # A column that the table of participants has too is called so.
    return [*columns, *(f"event_{name}" for name in columns)] or None
