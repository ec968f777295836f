"""Preprocess the raw images of one shard with the engine that the configuration names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from semantoks.artifacts.files import atomic_folder
from semantoks.config import Preprocessing
from semantoks.data.index.shards import RawScan, read_shard, scans_of
from semantoks.data.preprocess.fmriprep.engine import preprocess_with_fmriprep
from semantoks.data.preprocess.fmriprep.filters import BidsFilters, bids_filters
from semantoks.data.preprocess.rows import ScanResult, status_table
from semantoks.data.preprocess.settings import PreprocessSettings
from semantoks.data.preprocess.tsv import write_tsv
from semantoks.gate import Gate


def preprocess(
    settings: PreprocessSettings,
    *,
    shard: Path,
    bids: Path,
    out: Path,
    threads: int = 1,
    memory: int = 0,
    running: Mapping[str, object] = MappingProxyType({}),
    link_targets: Sequence[str] = (),
) -> list[Path]:
    """Preprocess one shard.

    Parameters
    ----------
    settings : PreprocessSettings
    shard : Path
        Table of the shard, as `semantoks.data.index` writes it.
    bids : Path
        The raw data set.
    out : Path
        Folder of derivatives in fMRIPrep's layout; it replaces the folder of an earlier run. Its
        ``scans.tsv`` has one row per scan: ``status`` (ok or failed), ``reason``, ``seconds`` (of
        CPU; with fMRIPrep the wall time of its call divided by the number of scans), ``dice``
        (brain mask and template) and ``correlation`` (T1w image and template), both missing with
        fMRIPrep, ``mean_fd`` (mm), ``n_volumes``, ``repetition_time`` (s).
    threads : int
        Number of processes; the result does not depend on it.
    memory : int
        Memory for fMRIPrep in MB, 0 if unknown.
    running : mapping
        Fields of `semantoks.config.Fmriprep` that change how fMRIPrep is run but not its output.
    link_targets : sequence of str
        Folders that links of the data set may lead to.

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        If the engine is fMRIPrep and it cannot be started.
    """
    preprocessing = _with_running(settings.preprocessing, running)
    filters = bids_filters(settings.entities, settings.t1w_entities)
    with Gate(bids, [Path(folder) for folder in link_targets]) as gate:
        preprocess_shard(read_shard(shard), gate, out, preprocessing, threads, memory, filters)
    return [out]


def preprocess_shard(
    table: pd.DataFrame,
    gate: Gate,
    out: Path,
    settings: Preprocessing,
    threads: int,
    memory: int = 0,
    filters: BidsFilters | None = None,
) -> pd.DataFrame:
    """Preprocess the scans of a shard table; the parameters are those of `preprocess`.

    `gate` is that of the data set, and `filters` are for fMRIPrep, see `bids_filters`.

    Returns
    -------
    DataFrame
        What ``scans.tsv`` holds, one row per scan in the order of `table`.

    Raises
    ------
    UserError
        If the engine is fMRIPrep and it cannot be started.
    """
    scans = scans_of(table, RawScan)
    usable = [scan for scan in scans if not scan.problem]
    results = [ScanResult.unusable(scan) for scan in scans if scan.problem]
    # Beside `out`, because Snakemake removes the output of a failed job, and fMRIPrep's
    # intermediate results represent days of computation.
    work = out.absolute().with_name(f"{out.name}_work")
    with atomic_folder(out) as folder:
        results += _run_engine(usable, gate, folder, settings, work, threads, memory, filters or {})
        status = status_table(results, table["scan"])
        write_tsv(folder / "scans.tsv", status)
    return status


def _run_engine(
    scans: Sequence[RawScan],
    gate: Gate,
    out: Path,
    settings: Preprocessing,
    work: Path,
    threads: int,
    memory: int,
    filters: BidsFilters,
) -> list[ScanResult]:
    """Preprocess usable scans with the configured engine, which writes derivatives to `out`."""
    if settings.engine == "fmriprep":
        return preprocess_with_fmriprep(
            scans,
            gate,
            out,
            settings.fmriprep,
            work=work,
            threads=threads,
            memory=memory,
            filters=filters,
        )
    # Imported here because it limits the threads of ITK in this process and its children, which
    # an fMRIPrep started from here would inherit.
    from semantoks.data.preprocess.minimal.engine import preprocess_with_minimal

    return preprocess_with_minimal(scans, gate.root, out, settings, threads=threads)


def _with_running(settings: Preprocessing, running: Mapping[str, object]) -> Preprocessing:
    """Add the settings that are not part of the stage's settings, and validate the result."""
    fmriprep = settings.fmriprep.model_dump() | dict(running)
    return Preprocessing.model_validate(settings.model_dump() | {"fmriprep": fmriprep})
