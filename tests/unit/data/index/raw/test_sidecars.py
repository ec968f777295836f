"""Sidecars are merged by the inheritance principle of BIDS, whatever the order of the directory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semantoks.data.index.bids_files import BidsFile, RawDataset
from semantoks.data.index.raw.sidecars import Metadata, Sidecars
from semantoks.errors import ScanError
from semantoks.gate import Gate
from tests.unit.data.index.conftest import touch

FUNC = "sub-01/ses-1/func"
STEM = f"{FUNC}/sub-01_ses-1_task-rest"
IMAGE = f"{STEM}_acq-mb_bold.nii.gz"


def write(root: Path, name: str, **content: Any) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(json.dumps(content))


def read(root: Path, image: str = IMAGE) -> Metadata:
    touch(root, image)
    return Sidecars(RawDataset(Gate(root))).of(BidsFile.of(image))


def tr(root: Path, image: str = IMAGE) -> float:
    return read(root, image).repetition_time


@pytest.fixture(params=[False, True])
def any_order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Directories are listed forwards and backwards."""
    listed = Path.iterdir

    def ordered(path: Path) -> Iterator[Path]:
        return iter(sorted(listed(path), reverse=request.param))

    monkeypatch.setattr(Path, "iterdir", ordered)


@pytest.mark.usefixtures("any_order")
def test_a_sidecar_of_another_scan_never_applies(tmp_path: Path) -> None:
    plain = f"{STEM}_bold.nii.gz"
    touch(tmp_path, plain)
    write(tmp_path, f"{STEM}_bold.json", RepetitionTime=2.5, SliceTiming=[0, 1])
    write(tmp_path, f"{STEM}_acq-mb_bold.json", RepetitionTime=1.25)
    assert read(tmp_path) == Metadata(1.25)
    assert read(tmp_path, plain) == Metadata(2.5, [0, 1])
    (tmp_path / f"{STEM}_acq-mb_bold.json").unlink()
    assert read(tmp_path) == Metadata()


@pytest.mark.usefixtures("any_order")
def test_deeper_and_more_specific_files_win(tmp_path: Path) -> None:
    write(tmp_path, "bold.json", RepetitionTime=1)
    assert tr(tmp_path) == 1
    write(tmp_path, "acq-mb_bold.json", RepetitionTime=2)
    assert tr(tmp_path) == 2
    write(tmp_path, "task-rest_acq-mb_bold.json", RepetitionTime=3, SliceTiming=[0.5])
    assert tr(tmp_path) == 3
    write(tmp_path, "sub-01/sub-01_bold.json", RepetitionTime=4)
    assert tr(tmp_path) == 4
    write(tmp_path, "sub-01/ses-1/sub-01_ses-1_bold.json", RepetitionTime=5)
    assert tr(tmp_path) == 5
    write(tmp_path, f"{STEM}_bold.json", RepetitionTime=6)  # has no image of its own
    assert tr(tmp_path) == 6
    write(tmp_path, f"{STEM}_acq-mb_bold.json", RepetitionTime=7)
    assert read(tmp_path) == Metadata(7, [0.5])


@pytest.mark.parametrize(
    "other", ["task-faces_bold", "task-rest_T1w", "task-rest_dir-AP_bold", "sub-02_bold"]
)
def test_files_with_other_entities_or_suffixes_do_not_apply(tmp_path: Path, other: str) -> None:
    write(tmp_path, f"{other}.json", RepetitionTime=2.5)
    write(tmp_path, "bold.json", RepetitionTime=1.25)
    assert tr(tmp_path) == 1.25


def test_indices_are_numbers(tmp_path: Path) -> None:
    write(tmp_path, "run-1_bold.json", RepetitionTime=1.25)
    assert tr(tmp_path, f"{STEM}_run-01_bold.nii.gz") == 1.25


def test_equally_specific_files_must_agree_unless_another_decides(tmp_path: Path) -> None:
    write(tmp_path, "task-rest_bold.json", RepetitionTime=2.5)
    write(tmp_path, "acq-mb_bold.json", RepetitionTime=1.25)
    with pytest.raises(ScanError, match=r"acq-mb_bold.json and task-rest_bold.json give different"):
        read(tmp_path)
    write(tmp_path, f"{STEM}_acq-mb_bold.json", RepetitionTime=1.25)
    assert tr(tmp_path) == 1.25


def test_null_hides_no_value(tmp_path: Path) -> None:
    write(tmp_path, "task-rest_bold.json", RepetitionTime=2.5, SliceTiming=[0, 1])
    write(tmp_path, f"{STEM}_acq-mb_bold.json", RepetitionTime=None, SliceTiming=None)
    assert read(tmp_path) == Metadata(2.5, [0, 1])


def test_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    write(tmp_path, f"{STEM}_acq-mb_bold.json", RepetitionTime=1.25)
    file = tmp_path / f"{STEM}_acq-mb_bold.json"
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert tr(tmp_path) == 1.25


@pytest.mark.parametrize("text", ['{"RepetitionTime": 1.25,}', "[1.25]", "", '"text"', "\ufffe"])
def test_a_broken_file_is_not_replaced_by_the_files_above(tmp_path: Path, text: str) -> None:
    write(tmp_path, "task-rest_bold.json", RepetitionTime=2.5)
    touch(tmp_path, IMAGE)
    (tmp_path / f"{STEM}_acq-mb_bold.json").write_text(text, encoding="utf-16")
    with pytest.raises(ScanError, match=rf"the sidecar {STEM}_acq-mb_bold.json cannot be read"):
        read(tmp_path)


def test_two_values_of_a_key_are_not_guessed(tmp_path: Path) -> None:
    touch(tmp_path, IMAGE)
    (tmp_path / "bold.json").write_text('{"RepetitionTime": 2.5, "RepetitionTime": 0.8}')
    with pytest.raises(ScanError, match="two different values of RepetitionTime"):
        read(tmp_path)


def test_a_sidecar_that_is_a_broken_link_is_said(tmp_path: Path) -> None:
    write(tmp_path, "task-rest_bold.json", RepetitionTime=2.5)
    touch(tmp_path, IMAGE)
    (tmp_path / f"{STEM}_acq-mb_bold.json").symlink_to("annexed")
    with pytest.raises(ScanError, match="cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("RepetitionTime", value) for value in ([2.5], {"s": 2.5}, "2.5", True, float("nan"))],
        *[("SliceTiming", value) for value in ("0, 1", {"0": 1}, 0.5, ["0", "1"], [[0, 1]])],
        *[("SliceEncodingDirection", value) for value in (["k"], 2, {"axis": "k"})],
        ("VolumeTiming", [0, 2, 5]),
    ],
)
def test_a_value_of_the_wrong_type_is_the_reason_of_that_scan(
    tmp_path: Path, key: str, value: object
) -> None:
    write(tmp_path, "bold.json", RepetitionTime=2.0)
    write(tmp_path, f"{STEM}_acq-mb_bold.json", **{key: value})
    with pytest.raises(ScanError, match=key):
        read(tmp_path)


def test_files_above_a_link_to_a_folder_apply(tmp_path: Path) -> None:
    touch(tmp_path / "store", IMAGE)
    write(tmp_path / "store", "task-rest_bold.json", RepetitionTime=9)
    (tmp_path / "view").mkdir()
    (tmp_path / "view/sub-01").symlink_to(tmp_path / "store/sub-01")
    write(tmp_path / "view", "task-rest_bold.json", RepetitionTime=2.0)
    assert tr(tmp_path / "view") == 2.0


def test_ignored_and_hidden_files_do_not_apply(tmp_path: Path) -> None:
    write(tmp_path, "task-rest_bold.json", RepetitionTime=2.0)
    write(tmp_path, "task-rest_acq-mb_bold.json", RepetitionTime=9.0)
    (tmp_path / "._bold.json").write_bytes(os.urandom(8))
    (tmp_path / ".bidsignore").write_text("*_acq-mb_bold.json\n")
    assert tr(tmp_path) == 2.0
