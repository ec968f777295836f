"""What is said of the tables of participants at the end of a run, since it stops nothing."""

from __future__ import annotations

from collections.abc import Iterator

from semantoks.config import Config, Dataset
from semantoks.config.preflight.people import is_text_alone
from semantoks.config.preflight.tables import (
    covariates,
    is_text,
    read_used_columns,
    surplus_alternatives,
    table_columns,
)
from semantoks.people.columns import confounds_sentence
from semantoks.people.measures import MEASURES


def table_notes(dataset: Dataset, config: Config) -> Iterator[str]:
    """Yield sentences on rows that are left out, on columns, and on the confounds that are used.

    Parameters
    ----------
    dataset : Dataset
    config : Config
    """
    is_here = all(path.is_file() for path in dataset.participants_tables())
    if dataset.simulate or not dataset.phenotypes or not is_here or not is_text(dataset):
        return
    drawing = [name for name, x in config.datasets.items() if isinstance(x.hold_out, int)]
    if len(drawing) > 1 and isinstance(dataset.hold_out, int):
        yield (
            f"{' and '.join(drawing)} each draw who is held out. Ids are not compared between data "
            "sets: if they have the same people, name one file as `hold_out` of all"
        )
    people = read_used_columns(dataset, config)
    yield from people.notes
    yield from surplus_alternatives(dataset, config)
    known = covariates(dataset, table_columns(dataset))
    for name, column in list(known.items()):
        cells = people.columns[column]
        if name in MEASURES and is_text_alone(name, cells):
            example = next(cell for cell in cells if cell is not None)
            known.pop(name)
            yield (
                f"column '{column}' of {people.name} is not used as the confound {name}, since it "
                f"has no number (such as '{example}'). Write numbers alone."
            )
    if "confounds" in config.baselines:
        yield confounds_sentence(known, "of the table of participants ")
