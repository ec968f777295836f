"""`semantoks why`."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantoks.artifacts.provenance import record, verified
from semantoks.commands.why import why
from semantoks.errors import UserError


def test_why_leads_to_the_raw_data_and_shows_changes(tmp_path: Path) -> None:
    raw, middle, end = (tmp_path / name for name in ("raw.tsv", "middle.parquet", "end.json"))
    for path in (raw, middle, end):
        path.write_text(path.name)
    record(middle, "parcellate", {"low_pass": 0.1}, verified([raw]), 1.0)
    record(end, "probe", {"repeats": 10}, verified([middle]), 2.0)
    lines = list(why(end))
    assert [line.strip().split(":")[0] for line in lines if str(tmp_path) in line] == [
        str(end),
        str(middle),
        str(raw),
    ]
    assert lines[-1] == "In all: 2 files by 2 stages, and 1 other files; none has changed."
    raw.write_text("something else")
    assert any("raw.tsv, CHANGED since" in line for line in why(end))
    middle.unlink()
    assert any("middle.parquet, DELETED since" in line for line in why(end))
    changes = f"{middle}, DELETED since; {raw}, CHANGED since"
    assert list(why(end))[-1] == f"In all: 2 files by 2 stages, and 1 other files; {changes}."


def test_why_knows_the_folder_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs are named relative to it, and the user may stand elsewhere."""
    made = tmp_path / "run/results/scans/a.parquet"
    made.parent.mkdir(parents=True)
    (tmp_path / "run/raw.tsv").write_text("raw")
    made.write_text("made")
    monkeypatch.chdir(tmp_path / "run")
    record(made, "scans", {}, verified([Path("raw.tsv")]), 1.0)
    monkeypatch.chdir(tmp_path)
    lines = list(why(Path("run/results/scans/a.parquet")))
    assert [line.strip() for line in lines[1:-1]] == ["raw.tsv"]


def test_why_of_a_folder_names_a_file_in_it(tmp_path: Path) -> None:
    made = tmp_path / "index/a.parquet"
    made.parent.mkdir()
    made.write_text("made")
    record(made, "index", {}, {}, 1.0)
    with pytest.raises(UserError, match=r"folder of several artifacts.*such as .*a\.parquet"):
        list(why(tmp_path / "index"))


def test_why_needs_a_sidecar(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        list(why(tmp_path / "nothing"))
    (tmp_path / "unknown").write_text("")
    with pytest.raises(UserError, match="Semantoks did not write it"):
        list(why(tmp_path / "unknown"))


def test_why_ends_with_the_files_of_each_scan(tmp_path: Path) -> None:
    shard, end = tmp_path / "shard-0000.tsv", tmp_path / "end.parquet"
    rows = [f"scan{n}\tsub-{n}\tfunc/{n}_bold.nii.gz\tanat/{n}_T1w.nii\t2" for n in range(52)]
    header = "scan\tparticipant_id\tbold\tt1w\trepetition_time"
    shard.write_text("\n".join([header, *rows]) + "\n")
    end.write_text("")
    record(shard, "index", {}, {}, 1.0)
    record(end, "parcellate", {}, verified([shard]), 1.0)
    lines = list(why(end))
    assert "    - scan3: func/3_bold.nii.gz, anat/3_T1w.nii" in lines
    assert lines[-2] == f"    - and 2 other scans, which {shard} lists"
