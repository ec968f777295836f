from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.config.origin import Source
from semantoks.report.scan_page.settings import ScanPageSettings
from semantoks.report.scan_page.stage import scan_page
from tests.conftest import toy_scan

SPACE = "space-MNI152NLin2009aSym"
AFFINE = np.array([[8.0, 0, 0, -96], [0, 8, 0, -132], [0, 0, 8, -78], [0, 0, 0, 1]])
PEOPLE = ["sub-01", "sub-02", "sub-SECRET"]


def write_images(folder: Path, participant: str) -> None:
    """Write derivatives of a run, with one jump of the head; its image is cut to 12 volumes."""
    rng = np.random.default_rng(0)
    stem = f"{participant}_task-rest"
    func, anat = folder / participant / "func", folder / participant / "anat"
    func.mkdir(parents=True)
    anat.mkdir()
    bold = rng.uniform(500, 900, (24, 29, 24, 12)).astype(np.float32)
    mask = np.zeros(bold.shape[:3], np.uint8)
    mask[6:18, 6:22, 6:20] = 1
    nib.save(nib.Nifti1Image(bold, AFFINE), func / f"{stem}_{SPACE}_desc-preproc_bold.nii.gz")
    nib.save(nib.Nifti1Image(mask, AFFINE), func / f"{stem}_{SPACE}_desc-brain_mask.nii.gz")
    t1w = anat / f"{participant}_{SPACE}_desc-preproc_T1w.nii.gz"
    nib.save(nib.Nifti1Image(bold[..., 0], AFFINE), t1w)
    fd = ["n/a", *["0.1"] * 5, "1.7", *["0.1"] * 143]
    table = pd.DataFrame({"framewise_displacement": fd, "std_dvars": ["n/a", *["1.0"] * 149]})
    table.to_csv(func / f"{stem}_desc-confounds_timeseries.tsv", sep="\t", index=False)


@pytest.fixture
def shard(tmp_path: Path, manifest: Manifest) -> Path:
    """Folder with a shard of three scans: with images, without, and excluded."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "scan": [f"{person}_task-rest" for person in PEOPLE],
            "participant_id": PEOPLE,
            "session": "",
            "task": "rest",
            "run": "",
            "status": ["ok", "ok", "excluded"],
            "reason": ["", "", "head motion: mean framewise displacement 0.90 mm in SECRET_file"],
            "mean_fd": [0.2, np.nan, 0.9],
            "start": [30.0, 0.0, np.nan],
            "repetition_time": 2.0,
        }
    )
    arrays = [toy_scan(rng, coherent=True), toy_scan(rng, coherent=False), None]
    arrays[1][3] = np.nan
    write_timeseries(tmp_path / "series.parquet", table, arrays, manifest)
    columns = ["scan", "participant_id", "session", "task", "run"]
    raw = table[columns].assign(bold="", t1w="", repetition_time=2.0)
    raw.to_csv(tmp_path / "shard.tsv", sep="\t", index=False)
    write_images(tmp_path / "images", "sub-01")
    return tmp_path


def page_of(shard: Path, source: Source = "bids", participants: bool = True) -> str:
    settings = ScanPageSettings(
        dataset="toy", number=1, shards=3, source=source, participants=participants, max_mean_fd=0.5
    )
    out = shard / "report/scans/toy/shard-0001.html"
    scan_page(
        settings,
        runs=shard / "series.parquet",
        shard=shard / "shard.tsv",
        data=shard / "images",
        out=out,
    )
    assert not out.stat().st_mode & 0o007  # people one by one are for the group at most
    return " ".join(out.read_text().split())


def test_the_page_shows_every_scan_of_a_shard(shard: Path) -> None:
    page = page_of(shard)
    sections = page.split("<section")[1:]
    assert len(sections) == 3
    assert [section.count("data:image/webp") for section in sections] == [4, 2, 0]
    assert "FD (mm) over time, at most 1.70" in sections[0]
    assert "standardized DVARS over time, at most 1.00" in sections[0]
    assert "DVARS of regions over time" in sections[1]
    assert "without data: A 1 of 5: A3" in sections[1]
    assert "all have data" in sections[0]
    assert "Excluded:</b> head motion: mean framewise displacement 0.90 mm" in sections[2]
    assert "Page 2 of 3: 3 scans, 1 of them excluded." in page
    assert 'href="shard-0000.html"' in page and 'href="shard-0002.html"' in page
    # No file of the network or of this machine is asked for.
    assert set(re.findall(r'src="([a-z]+:)', page)) == {"data:"}


def test_the_carpet_covers_the_part_of_the_run_that_is_used(shard: Path) -> None:
    # 240 s of a run of 300 s, from 30 s on; of the other scan the length of the run is not known.
    page = page_of(shard)
    assert page.count('style="margin-left: 10.0%; width: 80.0%"') == 1
    assert page.count('style="margin-left: 0.0%; width: 100.0%"') == 1


def test_without_leave_nobody_is_named(shard: Path) -> None:
    page = page_of(shard, participants=False)
    assert "sub-" not in page and "SECRET" not in page
    assert "<h2>scan 3</h2>" in page and "Excluded:</b> head motion<" in page
    assert "do not share it" in page


def test_time_series_have_no_images_to_look_for(shard: Path) -> None:
    page = page_of(shard, source="timeseries")
    assert page.count("data:image/webp") == 4
    assert "T1w image" not in page.partition('id="scans"')[2]


def test_images_that_fmriprep_preprocessed_are_drawn(shard: Path) -> None:
    """Those of the folder that the table names, and only in a space of the time series."""
    table = pd.read_csv(shard / "shard.tsv", sep="\t", dtype=str, keep_default_na=False)
    name = f"sub-01/func/sub-01_task-rest_{SPACE}_desc-preproc_bold.nii.gz"
    table["file"] = [name, "", ""]
    table = table.assign(version="", problem="").drop(columns=["bold", "t1w"])
    table.to_csv(shard / "shard.tsv", sep="\t", index=False)
    page = page_of(shard, source="fmriprep")
    sections = page.split("<section")[1:]
    assert [section.count("data:image/webp") for section in sections] == [4, 2, 0]
    table["file"] = [f"sub-01.zip/{name}", "", ""]
    table.to_csv(shard / "shard.tsv", sep="\t", index=False)
    page = page_of(shard, source="fmriprep")
    assert page.count("data:image/webp") == 4 and "No picture of its images" not in page


def test_no_face_is_drawn_in_a_space_without_a_template(shard: Path) -> None:
    for path in list(shard.rglob(f"*{SPACE}*")):
        path.rename(path.with_name(path.name.replace(SPACE, "space-OASIS30ANTs")))
    page = page_of(shard)
    assert "BOLD in template space" in page
    assert "T1w in template space" not in page


def test_a_damaged_image_is_said_and_stops_nothing(shard: Path) -> None:
    bold = next(shard.rglob("*_bold.nii.gz"))
    bold.write_bytes(b"no image")
    page = page_of(shard)
    assert page.count("<section") == 3
    assert "No picture of its images: " in page and bold.name in page
    assert bold.name not in page_of(shard, participants=False)
