"""Regional time series that somebody else made: text tables, arrays, HDF5 and our own Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.timeseries import find_scan
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.hdf5 import HDF5_SUFFIXES, decode_ids
from semantoks.data.parcellate.run import Run, sidecar
from semantoks.data.signals import repetition_time
from semantoks.errors import ScanError, UserError

TEXT = {".tsv": "\t", ".csv": ",", ".1D": r"\s+", ".txt": r"\s+"}
MISSING = ["", "n/a", "NaN", "NA", "nan"]
MIN_KNOWN = 0.5  # of the names of a file that the atlas must know


def read_timeseries(
    path: Path, scan: str, atlas: Atlas, tr: Any, names: Sequence[str] | None
) -> Run:
    """Read the time series of a scan and put its columns into the order of the atlas, by name.

    Parameters
    ----------
    path : Path
        ``.tsv``, ``.csv``, ``.1D`` or ``.txt`` with a header of region names or label numbers (or
        without), ``.npy`` (volumes × regions, or the other way round), the reference's HDF5
        (``timeseries/<atlas>``), or a Parquet file of Semantoks.
    scan : str
        Which scan, where a file holds several.
    atlas : Atlas
        What a region of the atlas that the file lacks becomes NaN for; what the atlas lacks is
        left out.
    tr : float, optional
        Repetition time (s), NaN to read it from the JSON file beside the table.
    names : sequence of str, optional
        Regions of files that do not name their columns, in order.

    Raises
    ------
    ScanError
        When the file cannot be read, or its regions are not those of the atlas.
    """
    if path.suffix == ".parquet":
        return _from_parquet(path, scan, atlas)
    if path.suffix in HDF5_SUFFIXES or path.suffix == ".npy":
        values = (
            _from_hdf5(path, scan, atlas) if path.suffix in HDF5_SUFFIXES else _from_numpy(path)
        )
        values_TC = _volumes_first(values, len(names or atlas.regions), path)
    else:
        values_TC, found = _from_text(path, atlas)
        names = names if found is None else found
    means_TC = align(values_TC, names, atlas, path.name)
    return Run(means_TC, repetition_time(_tr(tr, path), f"the sidecar of {path.name}"), "")


def align(
    values_TC: np.ndarray, names: Sequence[str] | None, atlas: Atlas, where: str
) -> np.ndarray:
    """Put columns into the order of an atlas, by region name or label number.

    Parameters
    ----------
    values_TC : ndarray, shape (volumes, columns)
    names : sequence of str or None
        Names of the columns; None if they are the atlas's regions in order.
    atlas : Atlas
    where : str
        What the columns are of, for the message.

    Returns
    -------
    ndarray, shape (volumes, regions of the atlas)
        NaN for regions that are not there.
    """
    count = len(atlas.regions) if names is None else len(names)
    if values_TC.shape[1] != count:
        raise ScanError(
            f"{where} has the shape {values_TC.shape}, a table with {count} regions is expected"
        )
    if names is None:
        return values_TC
    known = _places(names, atlas)
    columns = {column: known[name] for column, name in enumerate(names) if name in known}
    if len(columns) < MIN_KNOWN * len(names):
        missing = next(name for name in names if name not in known)
        raise ScanError(
            f"{len(columns)} of {len(names)} columns of {where} are regions of the atlas "
            f"{atlas.name}, '{missing}' is not{_order_hint(names, atlas)}"
        )
    if len(set(columns.values())) < len(columns):
        raise ScanError(f"{where} has two columns of one region")
    aligned_TC = np.full((len(values_TC), len(atlas.regions)), np.nan)
    aligned_TC[:, list(columns.values())] = values_TC[:, list(columns)]
    return aligned_TC


def _places(names: Sequence[str], atlas: Atlas) -> dict[str, int]:
    """Where each region stands: by its label number if all names are numbers, else by its name."""
    if all(name.isdigit() for name in names):
        return {str(int(label)): n for n, label in enumerate(atlas.regions["index"])}
    return {str(name): n for n, name in enumerate(atlas.regions["name"])}


def _order_hint(names: Sequence[str], atlas: Atlas) -> str:
    for here, there in (("7Networks_", "17Networks_"), ("17Networks_", "7Networks_")):
        if any(n.startswith(here) for n in names) and any(
            n.startswith(there) for n in atlas.regions["name"]
        ):
            return f" (the file is in the order of {here[:-9]} networks, the atlas of {there[:-9]})"
    return ""


def _volumes_first(values: np.ndarray, regions: int, path: Path) -> np.ndarray:
    """Turn an array round that has its regions first."""
    if values.ndim == 2 and values.shape[0] == values.shape[1]:
        raise ScanError(f"{path.name} is square: what are its volumes cannot be told")
    turned = values.ndim == 2 and values.shape[1] != regions and values.shape[0] == regions
    return values.T if turned else values


def _tr(tr: Any, path: Path) -> Any:
    if tr is not None and tr == tr:
        return tr
    about = sidecar(path)
    if "RepetitionTime" not in about and about.get("SamplingFrequency"):
        return 1 / float(about["SamplingFrequency"])  # as XCP-D writes it
    return about.get("RepetitionTime")


def _from_text(path: Path, atlas: Atlas) -> tuple[np.ndarray, list[str] | None]:
    """Read a table whose rows are volumes; its first row may name the columns."""
    sep = TEXT.get(path.suffix, r"\s+")
    try:
        table = pd.read_csv(path, sep=sep, header=None, dtype=str, keep_default_na=False)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise ScanError(f"{path.name} is not a readable table ({error})") from error
    table = table.apply(lambda column: column.str.strip())
    while len(table.columns) and (table[table.columns[-1]] == "").all():  # lines end in a separator
        table = table.drop(columns=table.columns[-1])
    names = _header([cell.lstrip("#").strip() for cell in table.iloc[0]], atlas, path)
    body = table if names is None else table.iloc[1:]
    try:
        return body.replace(MISSING, "nan").to_numpy(float), names
    except ValueError as error:
        raise ScanError(f"{path.name} holds something that is no number ({error})") from error


def _header(cells: list[str], atlas: Atlas, path: Path) -> list[str] | None:
    """Return the names in a first row; None if it holds a volume.

    A row of whole numbers names columns if these are the atlas's labels, or count from 0.
    """
    labels = {str(int(label)) for label in atlas.regions["index"]}
    numbers = [cell for cell in cells if cell.isdigit()]
    from_zero = numbers == [str(n) for n in range(len(atlas.regions))]
    values = pd.to_numeric(pd.Series(cells).replace(MISSING, "nan"), errors="coerce")
    missing = pd.Series(cells).isin(MISSING)
    if (values.notna() | missing).all() and not from_zero and set(numbers) != labels:
        return None
    if from_zero and "0" not in labels:
        in_order = iter(atlas.regions["name"])
        return [str(next(in_order)) if cell.isdigit() else cell for cell in cells]
    if len(numbers) < len(cells) and len(numbers) > len(cells) / 2:  # an index beside labels
        if set(numbers) - labels:
            raise ScanError(
                f"{path.name} numbers its columns ({numbers[0]} to {numbers[-1]}), but not by the "
                f"labels of the atlas {atlas.name}"
            )
        named = atlas.regions.set_index(atlas.regions["index"].astype(int).astype(str))["name"]
        return [str(named.get(cell, cell)) for cell in cells]
    return cells


def _from_numpy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False).astype(float)
    except (ValueError, OSError, EOFError) as error:
        raise ScanError(f"{path.name} is not a readable array ({error})") from error


def _from_hdf5(path: Path, scan: str, atlas: Atlas) -> np.ndarray:
    """Read a scan of the reference's file; volumes that are NaN throughout are its padding."""
    import h5py  # type: ignore[import-untyped]

    with h5py.File(path) as file:
        names = list(file["timeseries"])
        name = atlas.name if atlas.name in names else names[0]
        if len(names) > 1 and name != atlas.name:
            raise ScanError(f"{path.name} has no timeseries/{atlas.name} ({', '.join(names)})")
        place = decode_ids(file["long_subject_id"][:]).index(scan)
        values_CT = np.asarray(file["timeseries"][name][place], float)
    known_T = np.flatnonzero(~np.isnan(values_CT).all(axis=0))
    return values_CT[:, : known_T[-1] + 1 if len(known_T) else 0].T


def _from_parquet(path: Path, scan: str, atlas: Atlas) -> Run:
    found, manifest = find_scan(path, scan)
    if found is None:
        raise ScanError(f"{path.name} has this scan without time series: it was excluded there")
    means_TC = align(found.timeseries_CT.T.astype(float), manifest.labels, atlas, path.name)
    return Run(means_TC, manifest.tr, manifest.space)


def read_names(path: Path) -> list[str]:
    """Read the regions of columns without names: a table with a column ``name``, or one a line.

    Raises
    ------
    UserError
        When there is no such file.
    """
    if not path.exists():
        raise UserError(
            f"There is no {path}. `regions` of a data set names a table whose column `name` lists "
            "the regions of its time series in order."
        )
    if path.suffix in (".tsv", ".csv"):
        table = pd.read_csv(path, sep=TEXT[path.suffix], dtype=str, keep_default_na=False)
        if "name" in table:
            return [str(name) for name in table["name"]]
    return path.read_text(encoding="utf-8").splitlines()
