"""Settings and lists of files that jobs read from private files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from semantoks.errors import UserError
from semantoks.system.job_files import JobFiles


def test_files_and_their_folder_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        name = JobFiles(tmp_path / "files").write('{"level": "patient"}', ".json")
    finally:
        os.umask(before)
    assert Path(name).read_text() == '{"level": "patient"}'
    assert Path(name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


def test_the_name_says_whether_the_content_is_the_same(tmp_path: Path) -> None:
    files = JobFiles(tmp_path)
    first = files.write("a", ".json")
    assert files.write("a", ".json") == first == JobFiles(tmp_path).write("a", ".json")
    assert files.write("b", ".json") != first
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_was_cut_is_written_again(tmp_path: Path) -> None:
    name = Path(JobFiles(tmp_path).write("long text", ".json"))
    name.write_text("long")
    JobFiles(tmp_path).write("long text", ".json")
    assert name.read_text() == "long text"


def test_files_of_earlier_runs_go(tmp_path: Path) -> None:
    JobFiles(tmp_path).write("of the last run", ".json")
    files = JobFiles(tmp_path)
    name = files.write("of this run", ".json")
    files.remove_others()
    assert [str(path) for path in tmp_path.iterdir()] == [name]
    JobFiles(tmp_path / "not there").remove_others()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be written \(Not a directory\)"):
        JobFiles(tmp_path / "file/files").write("a", ".json")


def test_a_folder_that_leads_elsewhere_is_refused_and_nothing_is_removed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "thesis.txt").touch()
    (tmp_path / "link").symlink_to(victim)
    files = JobFiles(tmp_path / "link")
    files.remove_others()
    with pytest.raises(UserError, match="is a link or belongs to another user"):
        files.write("{}", ".json")
    own = JobFiles(victim)
    own.write("{}", ".json")
    own.remove_others()
    assert (victim / "thesis.txt").exists()
    assert victim.stat().st_mode & 0o777 == 0o700
