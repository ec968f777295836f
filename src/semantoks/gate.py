"""The gate through which the files of a data set are opened.

A data set comes from others. A name in it may be a pipe that blocks whoever opens it, a device
without end, or a link to files of other people. Labs do link, though: git-annex within the data
set, many of them from a folder of their own to a store. Such a store is named in the configuration.
"""

from __future__ import annotations

import logging
import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType

from semantoks.errors import ScanError, UserError, shown

log = logging.getLogger(__name__)
MB = 10**6
# Far above what is real: text is read whole. A sidecar has kilobytes; 5000 volumes × 1500 columns
# of 20 characters are 150 MB.
LARGEST_TEXT = {".json": 50 * MB, ".tsv": 1000 * MB, ".csv": 1000 * MB}
LARGEST_TEXT |= {".txt": 1000 * MB, ".1D": 1000 * MB}
LARGEST_TABLE = 50_000 * MB  # of participants, of which only some columns are kept
DEPARTURE = "leads out of the data set"
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_active: ContextVar[Gate | None] = ContextVar("gate", default=None)


def problem_of_file(path: Path, largest: int | None = None) -> str:
    """Return why a path cannot be opened as a file, wherever it is; or nothing.

    Parameters
    ----------
    path : Path
    largest : int, optional
        Bytes; default: by its suffix.
    """
    try:
        status = path.stat()
    except OSError:
        if not os.path.lexists(path):
            return f"{path.name} is missing"
        return f"{path.name} is a link to a file that is not here (annexed? fetch it: datalad get)"
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no file")
        return f"{path.name} is {kind}, a file is needed"
    largest = largest or LARGEST_TEXT.get(path.suffix)
    if largest and status.st_size > largest:
        size = f"{status.st_size / MB:,.0f} MB"
        return f"{path.name} has {size}; files of its kind have at most {largest // MB:,} MB"
    return ""


def require_file(path: Path) -> Path:
    """Return the path of a file that may be opened: by the gate that is active, if there is one.

    Raises
    ------
    ScanError
    """
    gate = _active.get()
    problem = problem_of_file(path)
    if gate and not problem:
        # Resolved anew: a folder may have become a link since the gate met it.
        problem = gate.departure_of(path, os.path.realpath(path))
    if problem:
        raise ScanError(problem)
    return path


@dataclass(frozen=True)
class Gate:
    """Decides which files belong to a data set. As a context, it is active for `require_file`.

    Attributes
    ----------
    root : Path
        The data set; a file if it is HDF5.
    targets : sequence of Path
        Folders that its links may lead to.
    departures : dict of str to str
        Links that lead elsewhere, as far as they were met, and where to.
    """

    root: Path
    targets: Sequence[Path] = ()
    departures: dict[str, str] = field(default_factory=dict)
    _real_folders: dict[str, str] = field(default_factory=dict, repr=False)
    _tokens: list[Token[Gate | None]] = field(default_factory=list, repr=False)

    def __enter__(self) -> Gate:
        self._tokens.append(_active.set(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _active.reset(self._tokens.pop())

    def problem_of(self, path: Path) -> str:
        """Return why a listed file of the data set cannot be used; or nothing."""
        return problem_of_file(path) or self.departure_of(path)

    def departure_of(self, path: Path, real: str = "") -> str:
        """Return why the place of a file does not allow its use; or nothing.

        Parameters
        ----------
        path : Path
        real : str, optional
            The path without links; by default, folders that were met before are not resolved again.
        """
        real = real or self._real(path)
        if self.allows(real) or (not self.has(path) and self._allows_around(path, real)):
            return ""
        self.departures[str(path)] = real
        return (
            f"{path.name} {DEPARTURE}, to {shown(str(Path(real).parent))}; if it belongs to it, "
            "list that folder in `link_targets` of the data set"
        )

    def is_inside(self, folder: Path) -> bool:
        """Whether a folder belongs to the data set; a link that leads elsewhere is remembered."""
        real = self._real_folder(str(folder))
        if not self.allows(real):
            self._remember(folder)
        return self.allows(real)

    def has(self, path: Path) -> bool:
        """Whether a path is below the root by its name; others may be named by the user."""
        return path.is_relative_to(self.root)

    def allows(self, real: str) -> bool:
        """Whether a path without links is inside the data set or one of the targets."""
        return any(real == root or real.startswith(f"{root.rstrip('/')}/") for root in self._roots)

    def walk(self, folder: Path) -> Iterator[tuple[Path, list[str]]]:
        """Yield the folders at and below a folder, each with the sorted names of its files.

        Links to folders are followed if they lead to where the gate allows. Each real folder is
        visited once, since links may be circular, and by its own name rather than by a link; those
        that the walk starts in are not.
        """
        folders, links = deque([folder]), deque[Path]()
        visited = {str(part) for part in Path(self._real_folder(str(folder))).parents}
        while folders or links:
            parent = (folders or links).popleft()
            real = self._real_folder(str(parent))
            if not self.is_inside(parent) or real in visited:
                continue
            visited.add(real)
            names = list[str]()
            for entry in _entries(parent):
                if not _is_folder(entry):
                    names.append(entry.name)
                else:
                    (links if entry.is_symlink() else folders).append(parent / entry.name)
            yield parent, names

    def stores(self) -> tuple[Path, ...]:
        """Return the folders outside the root that links may lead to, as named and without links.

        That of git-annex is among them if it is there and the root a folder of its repository.
        """
        root, *others = map(Path, self._roots)
        stores = [*map(Path.absolute, self.targets), *(path for path in others if path.is_dir())]
        return tuple(dict.fromkeys(path for path in stores if not path.is_relative_to(root)))

    def report(self) -> None:
        """Say once which links were not followed."""
        if self.departures:
            log.warning("%s", self.sentence())

    def require_followed(self, problems: Iterable[str]) -> None:
        """Refuse a data set of which nothing is left without the links that lead elsewhere.

        Parameters
        ----------
        problems : iterable of str
            Of each scan; empty if there is none.

        Raises
        ------
        UserError
        """
        if self.departures and all(DEPARTURE in problem for problem in problems):
            raise UserError(self.sentence())

    def sentence(self) -> str:
        """Explain the links that lead elsewhere, and what to do."""
        (link, real), count = next(iter(sorted(self.departures.items()))), len(self.departures)
        common = os.path.commonpath([Path(target).parent for target in self.departures.values()])
        common = common if common != os.sep else str(Path(real).parent)
        folder = common if common != os.sep else "/folder/of/these/files"
        return (
            f"{count} link(s) lead out of {self.root} and are not followed, such as "
            f"{os.path.relpath(link, self.root)} to {real}. If what they lead to belongs to the "
            f"data set, set `link_targets: [{folder}]` of the data set; else remove them."
        )

    def _remember(self, folder: Path) -> None:
        """Record the uppermost link on the way to a folder, so that each is named once."""
        for part in reversed([folder, *folder.parents]):
            if part.is_symlink() and self.has(part) and not self.allows(os.path.realpath(part)):
                self.departures[str(part)] = os.path.realpath(part)
                return
        self.departures[str(folder)] = os.path.realpath(folder)

    def _allows_around(self, path: Path, real: str) -> bool:
        """Whether a file around the root, such as a sidecar above it, stays in the folder of both.

        A folder above derivatives often is the raw data set, and comes from others as well.
        """
        folder = os.path.commonpath([path.absolute(), self.root.absolute()])
        return Path(real).is_relative_to(os.path.realpath(folder))

    def _real(self, path: Path) -> str:
        if path.is_symlink():
            return os.path.realpath(path)
        return f"{self._real_folder(str(path.parent)).rstrip('/')}/{path.name}"

    def _real_folder(self, folder: str) -> str:
        # Resolving asks the disk for every part of a path, and a folder has many files.
        if folder not in self._real_folders:
            path = Path(folder)
            is_first = path.parent == path or path.name == ".."
            self._real_folders[folder] = os.path.realpath(path) if is_first else self._real(path)
        return self._real_folders[folder]

    @cached_property
    def _roots(self) -> list[str]:
        roots = [os.path.realpath(path) for path in (self.root, *self.targets)]
        return [*roots, *_annexed(Path(roots[0]))]


def _annexed(root: Path) -> Iterator[str]:
    """Yield where git-annex keeps the content of the repository that a folder is in.

    Derivatives are often a folder of a repository and no repository of their own. `.git` may be a
    link, but a data set could so name the repository of anyone: only that of a submodule leads out
    of its folder, into the repository around it.

    Parameters
    ----------
    root : Path
        Without links.
    """
    for folder in (root, *root.parents):
        if os.path.lexists(folder / ".git"):
            store = Path(os.path.realpath(folder / ".git/annex/objects"))
            homes = [folder, *(outer / ".git/modules" for outer in folder.parents)]
            if store.match("annex/objects") and any(map(store.is_relative_to, homes)):
                yield str(store)
            return


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []  # said where the folder is needed
    except OSError as error:
        log.warning("%s is left out, since it cannot be read (%s)", shown(str(folder)), error)
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
