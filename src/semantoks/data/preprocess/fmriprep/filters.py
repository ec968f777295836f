"""The filters of a data set, in the format of fMRIPrep's ``--bids-filter-file``.

The file has a query of PyBIDS for each kind of image. fMRIPrep reads null as "without this entity"
and ``*`` as "with any value of it", as the configuration does.
"""

from __future__ import annotations

from semantoks.config import EntityFilter
from semantoks.data.layout import INDICES

BidsFilters = dict[str, dict[str, object]]
# The names that PyBIDS has for the entities of `config.filters`.
NAMES = {
    "ses": "session",
    "acq": "acquisition",
    "ce": "ceagent",
    "rec": "reconstruction",
    "dir": "direction",
    "run": "run",
    "echo": "echo",
    "part": "part",
    "chunk": "chunk",
}
# Some versions replace their own query of a kind instead of adding to it.
QUERIES = {
    "bold": {"datatype": "func", "suffix": "bold"},
    "t1w": {"datatype": "anat", "suffix": "T1w"},
}


def bids_filters(entities: EntityFilter, t1w_entities: EntityFilter) -> BidsFilters:
    """Return the content of the file; empty if there are no filters.

    Parameters
    ----------
    entities, t1w_entities : dict
        Filters of BOLD and T1w images, as the configuration has them.
    """
    chosen = {"bold": entities, "t1w": t1w_entities}
    return {
        kind: {**QUERIES[kind], **{NAMES[name]: _query(name, x) for name, x in values.items()}}
        for kind, values in chosen.items()
        if values
    }


def _query(name: str, values: object) -> object:
    """Return what PyBIDS compares an entity with: numbers for indices, else text."""
    if isinstance(values, list):
        queries = [_query(name, value) for value in values]
        return [q for query in queries for q in (query if isinstance(query, list) else [query])]
    if name in INDICES:
        return int(values) if isinstance(values, str) and values.isdecimal() else values
    if isinstance(values, int):
        # YAML reads 01 as a number, which `index` compares with 1, 01 and 001.
        return sorted({f"{values:0{width}d}" for width in (1, 2, 3)})
    return values
