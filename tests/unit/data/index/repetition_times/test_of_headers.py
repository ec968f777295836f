"""The TR in the header of an image counts where nothing else states one, and that is said."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.config import Dataset
from semantoks.errors import UserError
from tests.conftest import run_index
from tests.unit.data.index.conftest import index_bids, write_bids
from tests.unit.data.index.raw.test_headers import save

BOLD = "sub-0{}/func/sub-0{}_task-rest_bold.nii.gz"
IMAGE = "0{}/clean.nii.gz"


def write(root: Path, name: str, *headers: tuple[float, str]) -> None:
    for number, (tr, unit) in enumerate(headers, 1):
        save(root / name.replace("{}", str(number)), tr, unit, np.eye(4))


def trs_of(folder: Path) -> list[float]:
    return pd.read_parquet(folder / "scans.parquet")["repetition_time"].round(4).tolist()


def index_images(root: Path, **changes: object) -> list[float]:
    """Index the images of three people that a template finds; return their TRs."""
    people = "".join(f"0{number}\t\n" for number in (1, 2, 3))
    (root / "participants.tsv").write_text(f"participant_id\ttr\n{people}")
    settings = {"source": "fmriprep", "template": IMAGE.replace("0{}", "{participant}"), **changes}
    dataset = Dataset.model_validate({"path": str(root), **settings})
    run_index(root, root / "participants.tsv", dataset, root / "out")
    return trs_of(root / "out")


@pytest.mark.parametrize("is_raw", [True, False])
def test_a_header_fills_in_for_what_states_no_tr(
    tmp_path: Path, is_raw: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Milliseconds count; a TR without unit, or the 1 s that stands for an unknown one, do not."""
    name = BOLD if is_raw else IMAGE
    write(tmp_path, name, (2500, "msec"), (2.5, "unknown"), (1, "sec"))
    if is_raw:
        images = [name.replace("{}", str(number)) for number in (1, 2, 3)]
        index_bids(write_bids(tmp_path, *images), tmp_path / "out", repetition_time=None)
        trs = trs_of(tmp_path / "out")
    else:
        trs = index_images(tmp_path)
    assert trs[0] == 2.5 and all(map(math.isnan, trs[1:]))
    assert "1 of 3 scans have no TR in a sidecar or by `repetition_time`" in caplog.text
    assert "2.5 s). If it is wrong, set `repetition_time`" in caplog.text


def test_sidecars_and_the_configuration_go_before_headers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, IMAGE, *[(2.5, "sec")] * 3)
    assert index_images(tmp_path, repetition_time=1.5) == [1.5] * 3
    (tmp_path / "01/clean.json").write_text('{"RepetitionTime": 0.8}')
    (tmp_path / "02/clean.json").write_text('{"RepetitionTime": "n/a"}')
    trs = index_images(tmp_path)
    # `parcellate` reads the sidecar of the first.
    assert math.isnan(trs[0]) and trs[1:] == [2.5, 2.5]
    assert "2 of 3 scans have no TR in a sidecar" in caplog.text


def test_headers_of_raw_images_give_way_to_sidecars(tmp_path: Path) -> None:
    write(tmp_path, BOLD, (2.5, "sec"), (2.5, "sec"))
    bids = write_bids(tmp_path, BOLD.replace("{}", "1"), BOLD.replace("{}", "2"))
    sidecar = bids / BOLD.replace("{}", "1").replace(".nii.gz", ".json")
    sidecar.write_text('{"RepetitionTime": 2.2}')
    index_bids(bids, tmp_path / "out", repetition_time=None)
    assert trs_of(tmp_path / "out") == [2.2, 2.5]


def test_no_tr_at_all_stops(tmp_path: Path) -> None:
    write(tmp_path, IMAGE, (2.5, "unknown"))
    with pytest.raises(UserError, match="states the repetition time .TR., so every scan would be"):
        index_images(tmp_path)
