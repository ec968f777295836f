"""Raw data go to time series in the shapes in which holders ship them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import yaml

from semantoks.artifacts.timeseries import iter_scans, read_scan_table
from semantoks.config import Simulation
from semantoks.data.simulate.dataset import write_dataset
from tests.workspaces import SIMULATION, SMALL, Workspace

pytestmark = pytest.mark.slow


def test_sites_and_stacks_give_the_same_as_bids(tmp_path: Path) -> None:
    """HBN's folders per site and SRPBS's volumes without extension, beside the same in BIDS."""
    simulation = Simulation.model_validate(
        {**SIMULATION, "participants": 4, "two_sessions": 0, "faults": False}
    )
    bids = tmp_path / "bids"
    write_dataset(bids, tmp_path / "truth", simulation, threads=2)
    people = sorted(path.name for path in bids.glob("sub-*"))
    for surplus in people[2:]:
        shutil.rmtree(bids / surplus)
    people = people[:2]
    for person, site in zip(people, ("Site-RU", "Site-SI"), strict=True):
        shutil.copytree(bids / person, tmp_path / "hbn/MRI" / site / person)
        for sidecar in bids.glob("*.json"):
            shutil.copy(sidecar, tmp_path / "hbn/MRI" / site)
        write_stack(bids / person, tmp_path / "srpbs/data" / person)
    for name in ("hbn", "srpbs"):
        shutil.copy(bids / "participants.tsv", tmp_path / name)
    sidecar = next(bids.rglob("*_bold.json"))
    tr = json.loads(sidecar.read_text())["RepetitionTime"]
    datasets = {
        "bids": {"path": "bids"},
        "hbn": {"path": "hbn", "folders": ["MRI/Site-*"]},
        "srpbs": {
            "path": "srpbs",
            "template": "data/{participant}/rsfmri/vol_*",
            "t1w_template": "data/{participant}/t1/defaced_mprage.nii.gz",
            "repetition_time": tr,
        },
    }
    content = {key: SMALL[key] for key in ("preprocessing", "parcellation")}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content | {"datasets": datasets}))
    Workspace(tmp_path).run("timeseries")
    series, tables = {}, {}
    for name in datasets:
        (path,) = tmp_path.glob(f"results/timeseries/{name}/*.parquet")
        tables[name] = read_scan_table([path])
        assert (tables[name]["status"] == "ok").all(), tables[name]["reason"].tolist()
        series[name] = {scan.scan: scan.timeseries_CT for scan in iter_scans([path])}
    assert len(series["bids"]) == 2 and list(series["hbn"]) == list(series["bids"])
    for scan, expected in series["bids"].items():
        np.testing.assert_array_equal(series["hbn"][scan], expected)
    assert list(series["srpbs"]) == [f"{person}_task-rest" for person in people]
    # The stacks have no slice timing.
    for person in people:
        pair = (series[name][f"{person}_task-rest"] for name in ("srpbs", "bids"))
        correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(*pair, strict=True)]
        assert np.nanmean(correlations) > 0.8
    derivatives = tmp_path / "results/preprocessed/srpbs/shard-0000"
    ending = "space-MNI152NLin2009aSym_desc-preproc_T1w.nii.gz"
    for person in people:
        assert (derivatives / person / "anat" / f"{person}_{ending}").is_file()


def write_stack(person: Path, target: Path) -> None:
    """Write a run as volumes without extension, stored numbers unchanged."""
    run = nib.load(next(person.rglob("*_bold.nii.gz")))
    (target / "rsfmri").mkdir(parents=True)
    stored = run.dataobj.get_unscaled()
    for number in range(stored.shape[3]):
        image = nib.Nifti1Image(stored[..., number], run.affine, run.header)
        image.header.set_slope_inter(run.dataobj.slope, run.dataobj.inter)
        path = target / f"rsfmri/vol_{number + 1:04d}.nii"
        nib.save(image, path)
        path.rename(path.with_suffix(""))
    (target / "t1").mkdir()
    shutil.copy(next(person.rglob("*_T1w.nii.gz")), target / "t1/defaced_mprage.nii.gz")
