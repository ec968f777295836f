"""Read single files out of zip files, as UK Biobank ships a participant's images.

A zip file comes from others: names in it may lead out of the folder they are unpacked to, a few
bytes may declare terabytes. So only files that the configuration names are unpacked, and what is
declared of them is compared with limits before.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
import struct
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from types import FrameType

from semantoks.config import split_zip
from semantoks.data.declared import GB, MAX_RATIO
from semantoks.errors import LONGEST_PATH, ScanError, UserError, disk_sentence, shown
from semantoks.gate import LARGEST_TEXT, require_file

MAX_MEMBER = 50 * GB  # bytes of an image; UK Biobank's have 0.4 GB
BLOCK = 2**20  # bytes that are copied at a time
MAX_LISTING = 50_000_000  # bytes of the list of files, which Python reads whole: 400,000 files
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others compress without a limit
# Of the temporary folder, and not of the data.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
# The end of a zip file: sizes of its parts by the format (APPNOTE.TXT of PKWARE, 4.3.14 to 4.3.16).
END, END_SIZE, LONGEST_COMMENT = b"PK\5\6", 22, 2**16
LOCATOR, LOCATOR_SIZE, END_64_SIZE = b"PK\6\7", 20, 56
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError)


@contextmanager
def unpacked(
    root: Path, name: str, beside: Sequence[str] = (), folders: Sequence[str] = ()
) -> Iterator[Path]:
    """Yield where a file of a data set can be read that may be in a zip file.

    Parameters
    ----------
    root : Path
        The data set.
    name : str
        Any file, relative to the data set; or one in a zip file, such as
        ``1234.zip/fMRI/run.nii.gz``. That is unpacked to a temporary folder (``TMPDIR``), which is
        removed in the end.
    beside : sequence of str
        Files of the same zip file to unpack as well, if they are there.
    folders : sequence of str
        Folders of the zip file to create if it has anything in them.

    Raises
    ------
    ScanError
        When the zip file is damaged, or lacks the file, or declares what is not plausible.
    UserError
        When there is no temporary folder, or its disk is full.
    """
    archive, member = root / split_zip(name)[0], split_zip(name)[1]
    if not member:
        yield root / name
        return
    others, below = ([split_zip(path)[1] for path in paths] for paths in (beside, folders))
    with _temporary_folder() as folder:
        try:
            _unpack(archive, (member, *others), below, folder)
        except DAMAGE as error:
            raise ScanError(f"{archive.name} is a damaged zip file, or none ({error})") from error
        except OSError as error:
            if error.errno in DISK_ERRORS:
                raise _no_room(error, folder) from error
            raise ScanError(f"{archive.name} cannot be read ({error})") from error
        yield folder / member


def _no_room(error: OSError, folder: object) -> UserError:
    return UserError(
        f"{disk_sentence(error, folder)} Files of zip files are unpacked there; set TMPDIR to "
        "another folder."
    )


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed also if a scheduler ends this process (SIGTERM)."""
    is_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGTERM, _exit) if is_main else None
    try:
        try:
            temporary = tempfile.TemporaryDirectory(prefix="semantoks-zip-")
        except OSError as error:
            raise _no_room(error, "The temporary folder") from error
        with temporary as folder:
            yield Path(os.path.realpath(folder))
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)


def _exit(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _unpack(archive: Path, members: Sequence[str], folders: Sequence[str], out: Path) -> None:
    """Unpack the first file, which must be there, and what there is of the others."""
    _require_short_listing(require_file(archive))
    with zipfile.ZipFile(archive) as file:
        listing: dict[str, list[zipfile.ZipInfo]] = {}
        for info in file.infolist():
            listing.setdefault(info.filename, []).append(info)
        if members[0] not in listing:
            raise ScanError(f"{archive.name} has no file {shown(members[0], LONGEST_PATH)}")
        for name in folders:
            if any(other.startswith(f"{name}/") for other in listing):
                _inside(out, name, archive).mkdir(parents=True, exist_ok=True)
        for name in members:
            for info in listing.get(name, ()):
                _require_plausible(info, len(listing[name]), archive)
                target = _inside(out, name, archive)
                target.parent.mkdir(parents=True, exist_ok=True)
                with file.open(info) as source, target.open("wb") as copy:
                    copyfileobj(source, copy, BLOCK)


def _inside(out: Path, name: str, archive: Path) -> Path:
    """Return where a file is unpacked to; an entity of a template may be ``..``."""
    if ".." in name.split("/") or name.startswith("/") or "\\" in name:
        raise ScanError(f"{archive.name} is damaged: {shown(name)} leads out of it")
    return out / PurePosixPath(name)


def _require_plausible(info: zipfile.ZipInfo, count: int, archive: Path) -> None:
    """Refuse a file in a zip file that is not an ordinary one, or declares too much."""
    name = f"{PurePosixPath(info.filename).name} in {archive.name}"
    if count > 1:
        raise ScanError(f"{name} is there {count} times: the zip file is damaged")
    if info.flag_bits & 0x1:
        raise ScanError(f"{name} is encrypted and cannot be read; unpack it")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.is_dir() or kind not in (0, stat.S_IFREG):
        raise ScanError(f"{name} is a link or a folder, a file is needed")
    if info.compress_type not in METHODS:
        raise ScanError(f"{name} cannot be read: it is compressed by another method than deflate")
    limit = LARGEST_TEXT.get(PurePosixPath(info.filename).suffix, MAX_MEMBER)
    if info.file_size > min(limit, info.compress_size * MAX_RATIO):
        raise ScanError(
            f"{name} declares {info.file_size / GB:,.1f} GB, packed into {info.compress_size:,} "
            "bytes, which is not plausible"
        )


def _require_short_listing(archive: Path) -> None:
    """Refuse a zip file whose list of files is longer than any real one."""
    with archive.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - END_SIZE - LONGEST_COMMENT - LOCATOR_SIZE - END_64_SIZE, 0))
        tail = file.read()
    start = tail.rfind(END)
    if start < 0 or start + END_SIZE > len(tail):
        return  # no zip file, as opening it will say
    length = int(struct.unpack_from("<I", tail, start + 12)[0])
    if tail[: start - LOCATOR_SIZE + 4].endswith(LOCATOR) and start >= LOCATOR_SIZE + END_64_SIZE:
        length = struct.unpack_from("<Q", tail, start - LOCATOR_SIZE - END_64_SIZE + 40)[0]
    if length > MAX_LISTING:
        raise ScanError(f"{archive.name} declares a list of files of {length / GB:,.1f} GB")
