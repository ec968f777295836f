"""Versions of scans: they change with every file that is read, so that its shard runs again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from semantoks.config import ENTITIES, split_zip
from semantoks.data.hdf5 import is_hdf5
from semantoks.data.index.bids_files import BidsFile
from semantoks.data.index.files import version_of
from semantoks.data.index.inheritance import Inheritance
from semantoks.data.index.templates import fill_template
from semantoks.data.layout import affine_of, dataset_of
from semantoks.gate import Gate


def allowed_version(gate: Gate, *paths: Path) -> str:
    """Hash the files that may be read: it changes when the folder of others is named."""
    return version_of(*(path for path in paths if not gate.departure_of(path)))


def versions_with_sidecars(scans: pd.DataFrame, gate: Gate) -> list[str]:
    """Extend the version of each scan: sidecars state the TR, so a change must re-run the shard."""
    versions, data_sets = list[str](), dict[Path, Inheritance]()
    for name, version in zip(scans["file"], scans["version"], strict=True):
        path = gate.root / name
        if split_zip(name)[1] and not path.parent.is_dir():
            versions.append(version)  # that of the zip file, with all that is in it
            continue
        root = dataset_of(path)
        data_set = data_sets.setdefault(root, Inheritance(root, ()))
        is_table = path.suffix != ".parquet" and not is_hdf5(path)
        file = BidsFile.of(path.relative_to(root).as_posix())
        sidecars = data_set.of_recording(file) if is_table else []
        versions.append(f"{version}-{allowed_version(gate, *sidecars)}" if sidecars else version)
    return versions


def version_of_registration(gate: Gate, template: str | None, entities: Mapping[str, str]) -> str:
    """Return the version of the warp field that a data set names for a scan."""
    if template is None:
        return ""
    names = dict.fromkeys(ENTITIES, "") | dict(entities)
    warp = gate.root / split_zip(fill_template(template, names))[0]
    return f"-{allowed_version(gate, warp, affine_of(warp))}"
