"""A plan notices people who are added or removed, by reading one folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from semantoks.config import Dataset
from semantoks.config.listing import _listing, listing_of


def listing(path: Path, **changes: Any) -> str:
    _listing.cache_clear()
    return listing_of(Dataset.model_validate({"path": str(path), **changes}))


def test_people_and_sidecars_count_and_notes_do_not(tmp_path: Path) -> None:
    (tmp_path / "sub-01").mkdir()
    before = listing(tmp_path)
    (tmp_path / "README").touch()
    (tmp_path / "derivatives").mkdir()
    (tmp_path / "sub-01/anat").mkdir()
    assert listing(tmp_path) == before
    (tmp_path / "task-rest_bold.json").touch()
    with_sidecar = listing(tmp_path)
    assert with_sidecar != before
    (tmp_path / "sub-02").mkdir()
    assert listing(tmp_path) != with_sidecar
    (tmp_path / "sub-02").rmdir()
    assert listing(tmp_path) == with_sidecar


def test_a_template_names_the_folder(tmp_path: Path) -> None:
    changes = {"source": "timeseries", "template": "rois/cc200/{participant}_rois.1D"}
    assert listing(tmp_path, **changes) == ""
    (tmp_path / "rois/cc200").mkdir(parents=True)
    before = listing(tmp_path, **changes)
    (tmp_path / "rois/cc200/NYU_1_rois.1D").touch()
    assert listing(tmp_path, **changes) != before


def test_a_file_is_noticed_by_its_time(tmp_path: Path) -> None:
    path = tmp_path / "all.h5"
    path.write_bytes(b"1")
    before = listing(path, source="timeseries")
    os.utime(path, (1, 1))
    assert listing(path, source="timeseries") != before


def test_what_the_workflow_writes_beside_the_data_is_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    changes = {"source": "timeseries", "template": "{participant}.csv"}
    before = listing(tmp_path, **changes)
    for name in ("results", "logs", "resources", ".snakemake"):
        (tmp_path / name).mkdir()
    assert listing(tmp_path, **changes) == before
    assert listing_of(Dataset.model_validate({"simulate": {}})) == ""
