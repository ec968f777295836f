"""Regional time series that somebody else made: text tables, arrays, HDF5 and our own Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.atlas import Atlas
from semantoks.errors import ScanError, UserError
from semantoks.parcellate.run import Run, sidecar
from semantoks.signals import repetition_time
from semantoks.store import HDF5, find_scan

TEXT = {".tsv": "\t", ".csv": ",", ".1D": r"\s+", ".txt": r"\s+"}
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
    if path.suffix in HDF5:
        values, found = _from_hdf5(path, scan, atlas), None
    elif path.suffix == ".npy":
        values, found = _from_numpy(path), None
    else:
        values, found = _from_text(path)
    columns = found if found is not None else names
    count = len(columns) if columns is not None else len(atlas.regions)
    values_TC = _volumes_first(values, count, path)
    means_TC = align(values_TC, columns, atlas, path.name)
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
    if names is None:
        return values_TC
    known = _places(atlas)
    place = {known[name]: column for column, name in enumerate(names) if name in known}
    if len(place) < MIN_KNOWN * len(names):
        missing = next(name for name in names if name not in known)
        raise ScanError(
            f"{len(place)} of {len(names)} columns of {where} are regions of the atlas "
            f"{atlas.name}, '{missing}' is not{_order_hint(names, atlas)}"
        )
    if len(set(names)) < len(names):
        raise ScanError(f"{where} has two columns of one name")
    aligned_TC = np.full((len(values_TC), len(atlas.regions)), np.nan)
    aligned_TC[:, list(place)] = values_TC[:, list(place.values())]
    return aligned_TC


def _places(atlas: Atlas) -> dict[str, int]:
    """Where each region stands, by its label number and by its name."""
    labels = {str(int(label)): n for n, label in enumerate(atlas.regions["index"])}
    return labels | {name: n for n, name in enumerate(atlas.regions["name"])}


def _order_hint(names: Sequence[str], atlas: Atlas) -> str:
    for here, there in (("7Networks_", "17Networks_"), ("17Networks_", "7Networks_")):
        if any(n.startswith(here) for n in names) and any(
            n.startswith(there) for n in atlas.regions["name"]
        ):
            return f" (the file is in the order of {here[:-9]} networks, the atlas of {there[:-9]})"
    return ""


def _volumes_first(values: np.ndarray, regions: int, path: Path) -> np.ndarray:
    if values.ndim != 2 or regions not in values.shape:
        raise ScanError(
            f"{path.name} has the shape {values.shape}, a table with {regions} regions is expected"
        )
    return values if values.shape[1] == regions else values.T


def _tr(tr: Any, path: Path) -> Any:
    if tr is not None and tr == tr:
        return tr
    about = sidecar(path)
    if "RepetitionTime" not in about and about.get("SamplingFrequency"):
        return 1 / float(about["SamplingFrequency"])  # as XCP-D writes it
    return about.get("RepetitionTime")


def _from_text(path: Path) -> tuple[np.ndarray, list[str] | None]:
    try:
        table = pd.read_csv(
            path,
            sep=TEXT.get(path.suffix, r"\s+"),
            header=None,
            dtype=str,
            na_values=["n/a"],
            skip_blank_lines=True,
        ).dropna(axis=1, how="all")
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise ScanError(f"{path.name} is not a readable table ({error})") from error
    first = table.iloc[0].astype(str)
    named = pd.to_numeric(first.where(first.str.lower() != "nan"), errors="coerce").isna().any()
    names = [name.strip().lstrip("#") for name in first] if named else None
    body = table.iloc[1:] if named else table
    try:
        return body.to_numpy(float), names
    except ValueError as error:
        raise ScanError(f"{path.name} holds something that is no number ({error})") from error


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
        ids = [
            one.decode() if isinstance(one, bytes) else str(one) for one in file["long_subject_id"]
        ]
        values_CT = np.asarray(file["timeseries"][name][ids.index(scan)], float)
    return values_CT[:, ~np.isnan(values_CT).all(axis=0)].T


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
