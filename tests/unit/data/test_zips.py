"""Single files are read out of zip files, which may be damaged or made to do harm."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from semantoks.data import zips
from semantoks.data.zips import unpacked
from semantoks.errors import ScanError, UserError
from semantoks.gate import Gate


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where zip files are unpacked."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def write(path: Path, **content: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in content.items():
            file.writestr(f"a/{name}", text)
    return path


def refused(root: Path, words: str, name: str = "x.zip/a/run") -> None:
    with pytest.raises(ScanError, match=words), unpacked(root, name):
        pass


def test_only_what_is_named_is_unpacked_and_all_is_removed(tmp_path: Path, temporary: Path) -> None:
    write(tmp_path / "x.zip", run="data", mask="1", other="2")
    names = ["x.zip/a/mask", "x.zip/a/none"]
    with Gate(tmp_path), unpacked(tmp_path, "x.zip/a/run", names, ["x.zip/a/reg"]) as path:
        assert path.read_text() == "data" and path.with_name("mask").read_text() == "1"
        assert sorted(x.name for x in path.parent.iterdir()) == ["mask", "run"]
        assert path.is_relative_to(temporary)
        assert stat.S_IMODE(next(temporary.iterdir()).stat().st_mode) == 0o700
    assert list(temporary.iterdir()) == []
    with pytest.raises(KeyError), unpacked(tmp_path, "x.zip/a/run"):
        raise KeyError
    assert list(temporary.iterdir()) == []
    with unpacked(tmp_path, "sub/run") as path:
        assert path == tmp_path / "sub/run"


def test_it_is_removed_if_a_scheduler_ends_the_job(tmp_path: Path, temporary: Path) -> None:
    write(tmp_path / "x.zip", run="data")
    code = (
        "import sys, time, pathlib\nfrom semantoks.data.zips import unpacked\n"
        f"with unpacked(pathlib.Path({str(tmp_path)!r}), 'x.zip/a/run'):\n"
        "    print('ready', flush=True)\n    time.sleep(60)"
    )
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        assert len(list(temporary.iterdir())) == 1
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM
    assert list(temporary.iterdir()) == []


def test_damaged_files_are_a_reason(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "x.zip"
    refused(tmp_path, "x.zip is missing")
    path.write_bytes(b"no zip file")
    refused(tmp_path, "x.zip is a damaged zip file, or none")
    write(path, run="data" * 1000, other="x")
    refused(tmp_path, "x.zip has no file a/b", "x.zip/a/b")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])  # truncated: the list of files is at the end
    refused(tmp_path, "x.zip is a damaged zip file, or none")
    start = content.index(b"a/run") + 5
    path.write_bytes(content[:start] + b"\xff\xff\xff" + content[start + 3 :])
    refused(tmp_path, "x.zip is a damaged zip file")
    path.unlink()
    path.mkdir()
    refused(tmp_path, "x.zip is a folder, a file is needed")
    assert list(temporary.iterdir()) == []


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a/run")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    refused(tmp_path, "run in x.zip is a link or a folder")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file, pytest.warns(UserWarning, match="Dup"):
        file.writestr("a/run", "1")
        file.writestr("a/run", "2")
    refused(tmp_path, "run in x.zip is there 2 times")
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("a/run", "1")
    refused(tmp_path, "compressed by another method than deflate")
    content = bytearray(write(tmp_path / "x.zip", run="1").read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # the flag of encryption in the list of files
    (tmp_path / "x.zip").write_bytes(content)
    refused(tmp_path, "run in x.zip is encrypted")


def test_names_that_lead_out_are_refused(tmp_path: Path, temporary: Path) -> None:
    for name in ("../run", "/run", "a/../../run"):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
            file.writestr(name, "1")
        refused(tmp_path, "x.zip is damaged: .* leads out of it", f"x.zip/{name}")
    assert not (temporary / "run").exists() and not Path("/run/run").is_file()


def test_declared_sizes_are_compared_with_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(write(tmp_path / "x.zip", run="1" * 5000).read_bytes())
    place = content.index(b"PK\1\2") + 24  # unpacked size in the list of files
    content[place : place + 4] = (3_000_000_000).to_bytes(4, "little")
    (tmp_path / "x.zip").write_bytes(content)
    refused(tmp_path, r"run in x.zip declares 3.0 GB, packed into \d+ bytes, which is not")
    write(tmp_path / "x.zip", run="1" * 5000)
    monkeypatch.setattr(zips, "MAX_MEMBER", 4999)
    refused(tmp_path, "which is not plausible")
    monkeypatch.setattr(zips, "MAX_MEMBER", 5000)
    with unpacked(tmp_path, "x.zip/a/run") as path:
        assert path.stat().st_size == 5000
    monkeypatch.setattr(zips, "MAX_LISTING", 50)
    refused(tmp_path, "x.zip declares a list of files of 0.0 GB")


def test_the_list_of_a_zip64_file_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zipfile.ZIP_FILECOUNT_LIMIT", 1)
    write(tmp_path / "x.zip", run="1", other="2")
    assert b"PK\6\7" in (tmp_path / "x.zip").read_bytes()
    with unpacked(tmp_path, "x.zip/a/run") as path:
        assert path.read_text() == "1"
    monkeypatch.setattr(zips, "MAX_LISTING", 50)
    refused(tmp_path, "x.zip declares a list of files")


def test_a_full_temporary_disk_is_no_fault_of_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write(tmp_path / "x.zip", run="1")
    monkeypatch.setattr(zips, "copyfileobj", full)
    with (
        pytest.raises(UserError, match="the disk is full.* set TMPDIR to another folder"),
        unpacked(tmp_path, "x.zip/a/run"),
    ):
        pass
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with (
        pytest.raises(UserError, match="cannot be used: .* set TMPDIR to another folder"),
        unpacked(tmp_path, "x.zip/a/run"),
    ):
        pass
