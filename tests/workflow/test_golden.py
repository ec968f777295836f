"""A stage whose output changes must say so: raise its number in `VERSION` of common.smk.

After a wanted change: raise the number, then
`python -m pytest tests/workflow/test_golden.py --write`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.splits import TEST
from semantoks.store import read_json, read_scans, read_table
from tests.workspaces import ROOT, Workspace

pytestmark = pytest.mark.slow

GOLDEN = ROOT / "tests/golden/stages.json"
TOLERANCE = 0.02  # relative; processors round differently, and registration amplifies it


def versions() -> dict[str, int]:
    text = (ROOT / "workflow/rules/common.smk").read_text()
    block = re.search(r"VERSION = \{(.*?)\}", text, re.DOTALL)
    assert block is not None
    return {name: int(number) for name, number in re.findall(r'"(\w+)": (\d+)', block[1])}


def spread(values: object) -> list[float]:
    array = np.asarray(values, float)
    array = array[np.isfinite(array)]
    return [float(array.mean()), float(array.std()), float(len(array))]


def numbers(folder: Path) -> dict[str, list[float]]:
    """Say in a few numbers what each stage wrote."""
    results, raw = folder / "results", folder / "data/small/bids"
    bold = next(raw.rglob("sub-005*_bold.nii.gz"))
    preprocessed = next(results.glob("preprocessed/**/sub-005*_desc-preproc_bold.nii.gz"))
    atlas = nib.load(folder / "resources/atlases/atlas-seitzman300_dseg.nii.gz")
    scans = read_scans(results.glob("timeseries/small/*.parquet"))
    splits = read_table(results / "splits/small/group.parquet")
    tested = splits.index[splits["random 00"] == TEST]
    score = read_table(results / "scores/small/trait/fc.parquet")
    task = read_json(results / "benchmarks/small/trait.json")["schemes"][0]["representations"]
    leaks = read_json(results / "cards/small/fc.json")["leakage"]

    def features(name: str) -> list[float]:
        table = read_table(results / f"representations/{name}/small.parquet")
        return spread(np.stack(table["features"].to_list()))

    return {
        "simulate": spread(nib.load(bold).get_fdata()),
        "get_atlas": spread(np.bincount(np.asarray(atlas.dataobj).ravel())[1:]),
        "index": spread(read_table(results / "index/small/scans.parquet")["shard"]),
        "preprocess": spread(nib.load(preprocessed).get_fdata()),
        "parcellate": spread([scan.timeseries_CT[:, ::10] ** 2 for scan in scans]),
        "scans": spread(read_table(results / "scans/small.parquet")["mean_fd"]),
        "pretrain": spread(read_table(results / "models/tiny/metrics.parquet")["loss"]),
        "embed": features("tiny"),
        "represent": features("fc"),
        "split": spread(tested),
        "probe": spread([score["pearson_r"], score["mae"]]),
        "card": [float(len(leaks))],
        "benchmark": spread([row["mae"]["mean"] for row in task]),
        "report": [
            float(pd.Series((results / "report/index.html").read_text()).str.count("<svg")[0])
        ],
    }


def test_a_changed_output_has_a_new_version(
    finished: Workspace, request: pytest.FixtureRequest
) -> None:
    ours = {
        stage: {"version": versions()[stage], "numbers": values}
        for stage, values in numbers(finished.folder).items()
    }
    if request.config.getoption("--write"):
        GOLDEN.write_text(json.dumps(ours, indent=1) + "\n")
    golden = json.loads(GOLDEN.read_text())
    assert ours.keys() == versions().keys() == golden.keys()
    for stage, known in golden.items():
        same = np.allclose(ours[stage]["numbers"], known["numbers"], rtol=TOLERANCE, atol=1e-3)
        assert ours[stage]["version"] == known["version"], f"{stage}: run this test with --write"
        assert same, f"{stage} writes something else: raise VERSION['{stage}'] in common.smk"
