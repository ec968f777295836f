"""What a user is told when something cannot go on."""

import errno
import re
import reprlib
from collections.abc import Mapping

LONGEST_VALUE = 60  # characters of a value in a message
LONGEST_PATH = 300

# Only what the system says, and what to do; `disk_sentence` names the file.
_DISK = {
    errno.ENOSPC: "the disk is full. Make room and run the same command again.",
    errno.EDQUOT: "your quota is used up. Make room and run the same command again.",
    errno.EROFS: "the disk is read-only. Choose another folder (snakemake --directory).",
    errno.EACCES: "permission denied. Get access to it, or choose another folder "
    "(snakemake --directory).",
    errno.ENAMETOOLONG: "the name or the path is too long for this disk (255 bytes for a name and "
    "4,096 for a path are common limits). Shorten it.",
    errno.EFBIG: "the file would be larger than this disk, or `ulimit -f`, allows. Raise that limit"
    " and run the same command again.",
    errno.EMFILE: "too many files are open at once. Raise `ulimit -n` and run the same command "
    "again.",
    errno.EIO: "the disk could not be read or written (input/output error). Check the disk, and "
    "run the same command again.",
    errno.ESTALE: "the network disk has lost the file. Run the same command again.",
    errno.ELOOP: "it is a link that leads back to itself. Make it a link to a file.",
}
_DISK[errno.EPERM] = _DISK[errno.EACCES]

_repr = reprlib.Repr()
# Nested lists of a stranger's file may stand for more text than fits into memory.
_repr.maxlevel, _repr.maxlist, _repr.maxdict, _repr.maxtuple = 2, 4, 4, 4
_repr.maxstring = _repr.maxother = _repr.maxlong = LONGEST_VALUE


def printable(text: str) -> str:
    """Replace what does not print: line breaks, commands for terminals, names that are no UTF-8."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def shown(value: object, longest: int = LONGEST_VALUE) -> str:
    """Write a value of the user for a message: on one line, without control characters, cut."""
    text = printable(value if isinstance(value, str) else _repr.repr(value))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def disk_sentence(error: OSError, path: object = None) -> str | None:
    """Say in a sentence which file the system refused, and why.

    Parameters
    ----------
    error : OSError
    path : object, optional
        What was being written, for errors that name no file.

    Returns
    -------
    str or None
        None for an error that does not come from the system, such as of a library.
    """
    advice = f"{shown(error.strerror or str(error))}. Check it and run the same command again."
    if error.errno is None:
        # All that NumPy says when a disk takes only a part of an array.
        if not re.fullmatch(r"\d+ requested and \d+ written", str(error)):
            return None
        advice = (
            "only a part could be written. Make room, or raise `ulimit -f`, and run the same "
            "command again."
        )
    # A temporary name means nothing to a user.
    is_named = error.filename and not str(error.filename).endswith(".part")
    where = shown(str(error.filename if is_named else path or "A file"), LONGEST_PATH)
    return f"{where} cannot be used: {_DISK.get(error.errno or 0, advice)}"


class UserError(Exception):
    """Something the user can mend: one or two sentences, no traceback.

    The message says what was expected, what was found, where, and what to do.
    """


class ScanError(Exception):
    """One scan cannot be used; the cohort goes on without it.

    The message is the reason that ends up in the tables and in the report.

    Parameters
    ----------
    reason : str
    measures : mapping of str to float, optional
        What was measured of the scan before.
    """

    def __init__(self, reason: str, measures: Mapping[str, float] | None = None) -> None:
        super().__init__(reason)
        self.measures = dict(measures or {})
