"""Data sets are indexed in the shapes in which their holders ship them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.config import AtlasFiles, Dataset, Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.atlas.families import custom
from semantoks.data.index.shards import DerivativeScan, read_scans
from semantoks.data.parcellate.readers.template_images import TemplateImageReader
from semantoks.data.parcellate.readers.timeseries import TimeseriesReader
from tests import holders
from tests.conftest import run_index


def index(
    root: Path, table: Path, out: Path, **settings: Any
) -> tuple[pd.DataFrame, list[DerivativeScan]]:
    dataset = Dataset.model_validate({"path": str(root), **settings})
    run_index(root, table, dataset, out)
    scans = pd.read_parquet(out / "scans.parquet").set_index("scan")
    is_raw = dataset.source == "bids"
    return scans, [] if is_raw else read_scans(out / "shard-0000.tsv", DerivativeScan)


def first_column(table: Path, column: str, out: Path) -> Path:
    """The holder's table with its ids only, as another test reads tables in their dialects."""
    separator = "\t" if table.suffix == ".tsv" else ","
    ids = pd.read_csv(table, sep=separator, dtype=str, encoding="latin-1")[column]
    ids.rename("participant_id").to_csv(out / "ids.csv", index=False)
    return out / "ids.csv"


def test_hbn(tmp_path: Path) -> None:
    root = holders.hbn(tmp_path / "HBN")
    table = first_column(root / "pheno/loris.csv", "Basic_Demos,EID", tmp_path)
    scans, _ = index(root, table, tmp_path / "out", folders=["MRI/Site-*"], task="rest")
    assert len(scans) == 10 and scans["participant_id"].nunique() == 8
    assert set(scans["repetition_time"]) == {0.8} and not scans["problem"].any()
    assert scans["t1w"].str.contains("/anat/sub-NDARAA").all()
    assert {name.split("/")[1] for name in scans["bold"]} == {
        *("Site-RU", "Site-CBIC", "Site-CUNY", "Site-SI"),
    }


def test_srpbs(tmp_path: Path) -> None:
    root = holders.srpbs(tmp_path)
    scans, _ = index(
        root,
        root / "participants.tsv",
        tmp_path / "out",
        template="data/{participant}/rsfmri/vol_*",
        t1w_template="data/{participant}/t1/defaced_mprage.nii",
        repetition_time={"protocol": {1: 2.5, 2: 2.7}},
    )
    assert len(scans) == 8 and not scans["problem"].any()
    assert scans["repetition_time"].tolist()[:2] == [2.5, 2.7]


def test_abide2(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = holders.abide2(tmp_path / "ABIDE2")
    table = first_column(root / "ABIDEII_Composite_Phenotypic.csv", "SUB_ID", tmp_path)
    scans, _ = index(root, table, tmp_path / "out", folders=["RawData/ABIDEII-*"])
    assert len(scans) == 8 and not scans["problem"].any()
    assert scans["repetition_time"].tolist()[:2] == [3.0, 2.5]
    assert "8 of 8 scans have no TR in a sidecar or by `repetition_time`" in caplog.text


def test_lemon(tmp_path: Path) -> None:
    """Of the anatomical images, only the T1w image counts, in folders further down, too."""
    root = holders.lemon(tmp_path / "LEMON")
    tests = root / "Behavioural_Data_MPILMBB_LEMON/Cognitive_Test_Battery_LEMON"
    table = first_column(tests / "CVLT/CVLT.csv", "ID", tmp_path)
    whole, _ = index(root, table, tmp_path / "a", folders=["MRI_MPILMBB_LEMON/MRI_Raw"])
    raw = root / "MRI_MPILMBB_LEMON/MRI_Raw"
    scans, _ = index(raw, table, tmp_path / "b")
    assert list(whole.index) == list(scans.index) and len(scans) == 8
    first = scans.loc["sub-032301_ses-01_task-rest_acq-AP_run-01"]
    assert (first["session"], first["run"], first["repetition_time"]) == ("ses-01", "1", 1.4)
    assert first["t1w"] == "sub-032301/ses-01/anat/sub-032301_ses-01_acq-mp2rage_T1w.nii.gz"
    assert not scans["problem"].any()


def read_all(
    scans: list[DerivativeScan], read: Callable[[DerivativeScan], Any], regions: int
) -> None:
    for scan in scans[:3]:
        means = read(scan)
        assert means.means_TC.shape == (holders.VOLUMES, regions)
        assert np.isfinite(means.means_TC).all()


def test_abide(tmp_path: Path) -> None:
    root = holders.abide(tmp_path / "abide")
    scans, rows = index(
        root,
        root / "Phenotypic_V1_0b_preprocessed1.csv",
        tmp_path / "out",
        source="timeseries",
        template="rois_cc200/{participant}_rois_cc200.1D",
        participant_column="FILE_ID",
        missing_values=["-9999", "no_filename"],
        repetition_time={"SITE_ID": {"NYU": 2.0, "OLIN": 1.5}},
    )
    assert len(scans) == 40 and scans["repetition_time"].tolist()[:2] == [2.0, 2.0]
    regions = pd.DataFrame({"index": range(1, 201), "name": [f"r{n}" for n in range(200)]})
    atlas = Atlas("cc200", None, regions, "MNI152NLin6Asym", "0" * 64)
    read_all(rows, TimeseriesReader(root, atlas).read, 200)


def test_adhd200(tmp_path: Path) -> None:
    root = holders.adhd200(tmp_path)
    ids = pd.read_csv(root / "adhd200_preprocessed_phenotypics.tsv", sep="\t")["ScanDir ID"]
    padded = ids.map("{:07d}".format).rename("participant_id")
    padded.to_csv(tmp_path / "ids.csv", index=False)
    scans, rows = index(
        root,
        tmp_path / "ids.csv",
        tmp_path / "out",
        source="timeseries",
        template="*/{participant}/snwmrda{participant}_session_{session}_rest_{run}_cc200_TCs.1D",
        repetition_time=2.0,
    )
    assert len(scans) == 40 and "0010001_1_1" in scans.index
    image = root / "templates/ADHD200_parcellate_200.nii.gz"
    files = AtlasFiles(
        image=str(image), table=str(tmp_path / "adhd200_regions.tsv"), space="MNI152NLin6Asym"
    )
    built = custom.build("adhd", files)
    atlas = Atlas("adhd", built.image, built.regions, "MNI152NLin6Asym", "0" * 64)
    read_all(rows, TimeseriesReader(root, atlas).read, 190)


def test_hcp_ya(tmp_path: Path) -> None:
    """The TR is in the CIFTI header, and the run in the names of folder and file."""
    root = holders.hcp_ya(tmp_path / "HCP", people=3)
    scans, rows = index(
        root,
        root / "unrestricted_hcp.csv",
        tmp_path / "out",
        source="fmriprep",
        template="{participant}/MNINonLinear/Results/rfMRI_{run}/"
        "rfMRI_{run}_Atlas_MSMAll_hp2000_clean.dtseries.nii",
        participant_column="Subject",
    )
    assert list(scans.index)[:2] == ["100206_REST1_LR", "100206_REST1_RL"] and len(scans) == 6
    files = AtlasFiles(
        image=str(root / "atlas.dlabel.nii"), table=str(root / "atlas.tsv"), space="fsLR"
    )
    built = custom.build("hcp", files)
    atlas = Atlas("hcp", built.image, built.regions, "fsLR", "0" * 64)
    reader = TemplateImageReader(root, atlas, Parcellation())
    read_all(rows, reader.read, 10)
    assert reader.read(rows[0]).tr == pytest.approx(0.72)
