from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from semantoks.artifacts.provenance import explain, record, sidecar, verified
from semantoks.errors import UserError


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of a run that works in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    return Path("results")


def test_why_walks_to_the_raw_data_and_sees_changes(tmp_path: Path) -> None:
    raw, middle, end = (tmp_path / name for name in ("raw.tsv", "middle.parquet", "end.json"))
    for path in (raw, middle, end):
        path.write_text(path.name)
    record(middle, "parcellate", {"low_pass": 0.1}, verified([raw]), 1.0)
    record(end, "probe", {"repeats": 10}, verified([middle]), 2.0)
    lines = list(explain(end))
    assert [line.strip().split(":")[0] for line in lines if str(tmp_path) in line] == [
        str(end),
        str(middle),
        str(raw),
    ]
    assert not any("since" in line for line in lines)
    raw.write_text("something else")
    assert any("raw.tsv, CHANGED since" in line for line in explain(end))
    middle.unlink()
    assert any("middle.parquet, DELETED since" in line for line in explain(end))


def test_why_explains_itself_when_it_cannot(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        list(explain(tmp_path / "nothing"))
    (tmp_path / "foreign").write_text("")
    with pytest.raises(UserError, match="not made by Semantoks"):
        list(explain(tmp_path / "foreign"))


def test_data_may_be_edited(tmp_path: Path) -> None:
    table = tmp_path / "participants.tsv"
    table.write_text("participant_id\n")
    record(table, "simulate", {}, {}, 1.0)
    table.write_text("participant_id\nsub-1\n")
    assert list(verified([table])) == [str(table)]


def test_what_is_damaged_is_set_aside(results: Path) -> None:
    file, folder = results / "a.parquet", results / "shard-0000"
    (folder / "sub-1").mkdir(parents=True)
    (folder / "sub-1/confounds.tsv").write_text("1\n")
    file.write_bytes(b"whole")
    for path in (file, folder):
        record(path, "parcellate", {}, {}, 1.0)
    assert list(verified([file, folder])) == [str(file), str(folder)]
    (folder / "sub-1/confounds.tsv").write_text("2\n")
    file.write_bytes(b"whOle")
    for path in (file, folder):
        with pytest.raises(UserError, match=f"{path.name} is not what was written"):
            verified([path])
        assert not path.exists()
        assert path.with_name(f"{path.name}.damaged").exists()


def test_nothing_in_a_folder_may_change(results: Path) -> None:
    image = results / "shard-0000/sub-1_bold.nii.gz"
    image.parent.mkdir()
    image.write_bytes(b"whole")
    record(image.parent, "preprocess", {}, {}, 1.0)
    image.write_bytes(b"whOle")
    with pytest.raises(UserError, match="shard-0000 is not what was written"):
        verified([image.parent])


@pytest.mark.parametrize("content", ['{"stage": "probe"', '{"stage": "probe"}', "[]"])
def test_an_artifact_whose_sidecar_is_damaged_is_not_trusted(results: Path, content: str) -> None:
    file = results / "a.parquet"
    file.write_bytes(b"whole")
    record(file, "probe", {}, {}, 1.0)
    sidecar(file).write_text(content)
    with pytest.raises(UserError, match="a.parquet is not what was written"):
        verified([file])
    assert not file.exists()


def test_several_jobs_find_the_same_damage(results: Path) -> None:
    for number in range(50):
        file = results / f"{number}.parquet"
        file.write_bytes(b"whole")
        record(file, "get_atlas", {}, {}, 1.0)
        file.write_bytes(b"whOle")
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(verified, [file]) for _ in range(4)]
        for job in jobs:
            with pytest.raises(UserError, match="is not what was written|is no longer there"):
                job.result()
        assert file.with_name(f"{file.name}.damaged").read_bytes() == b"whOle"


def test_what_cannot_be_made_anew_stays_where_it_is(tmp_path: Path) -> None:
    given = tmp_path / "config.json"
    given.write_text("{}")
    record(given, "pretrain", {}, {}, 1.0)
    given.write_text('{"edited": true}')
    with pytest.raises(UserError, match="Put the original back, or, if it is right"):
        verified([given])
    assert given.exists()
