"""Which file of events belongs to a run."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from semantoks.config import Events
from semantoks.data.blocks.sources import EventSource
from semantoks.errors import ScanError
from semantoks.gate import Gate
from tests.unit.data.blocks.conftest import write_events

RUN = {
    "scan": "sub-01_ses-2_task-faces_acq-mb_run-1",
    "participant_id": "sub-01",
    "session": "ses-2",
    "task": "faces",
    "run": "1",
    "file": "sub-01/ses-2/func/sub-01_ses-2_task-faces_acq-mb_run-1_timeseries.tsv",
}


def onsets(root: Path, events: Events | None = None, **changes: str) -> list[float]:
    events = events or Events()
    gate = Gate(Path(events.path or root))
    source = EventSource(root, events, gate)
    with gate:
        return [float(onset) for onset in source.read(RUN | changes)["onset"]]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["task-faces"], 0),
        (["task-faces", "sub-01/sub-01_task-faces"], 1),
        (["sub-01/ses-2/func/sub-01_ses-2_task-faces", "sub-01/sub-01_task-faces_run-1"], 0),
        (["sub-01/ses-2/func/sub-01_ses-2_task-faces_run-01", "task-faces"], 0),
        (["task-faces", "task-faces_acq-mb", "task-faces_acq-sb", "task-rest"], 1),
        (["sub-02/sub-02_task-faces", "task-faces", "sub-01/sub-01_task-faces_run-2"], 1),
    ],
)
def test_the_nearest_and_most_specific_table_applies(
    tmp_path: Path, names: list[str], expected: int
) -> None:
    (tmp_path / Path(RUN["file"]).parent).mkdir(parents=True)
    for number, name in enumerate(names):
        write_events(tmp_path / f"{name}_events.tsv", [f"{number}\t10"])
    assert onsets(tmp_path) == [expected]


def test_two_that_are_equally_specific_and_none_are_reasons(tmp_path: Path) -> None:
    (tmp_path / Path(RUN["file"]).parent).mkdir(parents=True)
    with pytest.raises(ScanError, match=r"^events: no \*_events.tsv of the run"):
        onsets(tmp_path)
    for name in ("task-faces_run-1", "task-faces_acq-mb"):
        write_events(tmp_path / f"{name}_events.tsv", ["0\t10"])
    with pytest.raises(ScanError, match="acq-mb_events.tsv and .* apply to the run alike"):
        onsets(tmp_path)


def test_derivatives_take_the_events_of_the_raw_data(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    name = "sub-01/ses-2/func/sub-01_ses-2_task-faces_acq-mb_run-01_events.tsv"
    write_events(raw / name, ["7\t10"])
    events = Events(path=str(raw))
    assert onsets(tmp_path / "derivatives", events) == [7]
    # A file that is named otherwise has the entities of its row.
    other = {"scan": "01_faces", "participant_id": "01", "file": "01_faces.npy"}
    write_events(raw / "task-faces_events.tsv", ["9\t10"])
    assert onsets(tmp_path / "derivatives", events, **other) == [9]


def test_timing_files_by_template(tmp_path: Path) -> None:
    """The tree of UK Biobank's field 20249, whose folder name ends in the instance."""
    folder = tmp_path / "1000012_20249_2_0/fMRI/tfMRI.feat/custom_timing_files"
    folder.mkdir(parents=True)
    (folder / "ev1.txt").write_text("0 21 1\n54 21 1\n")
    (folder / "ev2.txt").write_text("27 21 1\n")
    template = "{participant}_20249_*/fMRI/tfMRI.feat/custom_timing_files"
    events = Events(files={"shapes": f"{template}/ev1.txt", "faces": f"{template}/ev2.txt"})
    assert onsets(tmp_path, events, participant_id="1000012") == [0, 27, 54]
    with pytest.raises(ScanError, match=r"^events: there is no 1_20249_\*/fMRI"):
        onsets(tmp_path, events, participant_id="1")
    shutil.copytree(folder, str(folder).replace("20249_2_0", "20249_3_0"))
    with pytest.raises(ScanError, match="^events: 2 files fit 1000012"):
        onsets(tmp_path, events, participant_id="1000012")


def test_timing_files_in_zip_files(tmp_path: Path) -> None:
    """UK Biobank ships them in the zip file of the run; a zip without one is that run's reason."""
    member = "fMRI/tfMRI.feat/custom_timing_files/ev1.txt"
    with zipfile.ZipFile(tmp_path / "1000012_20249_2_0.zip", "w") as file:
        file.writestr(member, "0 21 1\n54 21 1\n")
    with zipfile.ZipFile(tmp_path / "1000020_20249_2_0.zip", "w") as file:
        file.writestr("readme.txt", "x")
    events = Events(files={"shapes": f"{{participant}}_20249_2_0.zip/{member}"})
    assert onsets(tmp_path, events, participant_id="1000012") == [0, 54]
    with pytest.raises(ScanError, match=r"1000020_20249_2_0.zip .*ev1.txt"):
        onsets(tmp_path, events, participant_id="1000020")
    with pytest.raises(ValidationError, match="must name one file in each zip file"):
        Events(files={"shapes": "{participant}.zip/*/ev1.txt"})


def test_links_out_of_the_data_set_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "data"
    (root / Path(RUN["file"]).parent).mkdir(parents=True)
    write_events(tmp_path / "others/task-faces_events.tsv", ["0\t10"])
    (root / "task-faces_events.tsv").symlink_to(tmp_path / "others/task-faces_events.tsv")
    with pytest.raises(ScanError, match="^events: .*leads out of the data set"):
        onsets(root)
