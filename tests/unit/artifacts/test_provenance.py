from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from semantoks.artifacts.files import atomic
from semantoks.artifacts.provenance import record, sidecar, verified
from semantoks.errors import UserError


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `results` of a run in the test's own folder."""
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    return Path("results")


def test_data_may_be_edited(tmp_path: Path) -> None:
    table = tmp_path / "participants.tsv"
    table.write_text("participant_id\n")
    record(table, "simulate", {}, {}, 1.0)
    table.write_text("participant_id\nsub-1\n")
    assert list(verified([table])) == [str(table)]


def test_a_damaged_artifact_is_set_aside(results: Path) -> None:
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
        with pytest.raises(UserError, match=f"{path.name} does not match its checksum"):
            verified([path])
        assert not path.exists()
        assert path.with_name(f"{path.name}.damaged").exists()


def test_a_change_anywhere_in_a_folder_is_noticed(results: Path) -> None:
    image = results / "shard-0000/sub-1_bold.nii.gz"
    image.parent.mkdir()
    image.write_bytes(b"whole")
    record(image.parent, "preprocess", {}, {}, 1.0)
    image.write_bytes(b"whOle")
    with pytest.raises(UserError, match="shard-0000 does not match its checksum"):
        verified([image.parent])


@pytest.mark.parametrize("content", ['{"stage": "probe"', '{"stage": "probe"}', "[]"])
def test_an_artifact_whose_sidecar_is_damaged_is_not_trusted(results: Path, content: str) -> None:
    file = results / "a.parquet"
    file.write_bytes(b"whole")
    record(file, "probe", {}, {}, 1.0)
    sidecar(file).write_text(content)
    with pytest.raises(UserError, match="a.parquet does not match its checksum"):
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
            with pytest.raises(UserError, match="does not match its checksum|is no longer there"):
                job.result()
        assert file.with_name(f"{file.name}.damaged").read_bytes() == b"whOle"


def test_a_file_that_cannot_be_made_again_stays_in_place(tmp_path: Path) -> None:
    given = tmp_path / "config.json"
    given.write_text("{}")
    record(given, "pretrain", {}, {}, 1.0)
    given.write_text('{"edited": true}')
    with pytest.raises(UserError, match="Restore the original, or, if the file is right"):
        verified([given])
    assert given.exists()


def test_temporary_names_do_not_repeat(tmp_path: Path) -> None:
    with atomic(tmp_path / "a") as first, atomic(tmp_path / "a") as second:
        assert first != second  # pids repeat across the nodes of a cluster
        first.touch()
        second.touch()
