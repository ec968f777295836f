"""What a file of weights really is, and whether its weights fit a model.

Downloads of weights often are something else: an empty file, a pointer of Git LFS, a web page.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from semantoks.errors import UserError

_HEAD = 512
# Parts of names that wrappers add: DistributedDataParallel, torch.compile, Lightning, FSDP and
# activation checkpointing. No weight of the encoder or of the reference has such a part.
_WRAPPERS = {
    *("module", "_orig_mod", "model", "_forward_module"),
    *("_fsdp_wrapped_module", "_checkpoint_wrapped_module"),
}


def require_content(path: Path) -> bytes:
    """Refuse a file that stands for another or is no model at all, and return its first bytes.

    Raises
    ------
    UserError
        If the file is empty, a pointer of Git LFS or git-annex, or a web page, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Check its access.") from None
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise UserError(f"{path} is empty, expected a model. Download it again.")
    if text.startswith(b"version https://git-lfs"):
        raise UserError(
            f"{path} is a pointer of Git LFS and not the model itself. Run `git lfs pull` in its "
            "folder."
        )
    if b"/annex/objects/" in text:
        raise UserError(
            f"{path} is a pointer of git-annex and not the model itself. Run `git annex get` (or "
            "`datalad get`) in its folder."
        )
    if text.startswith(b"<"):
        raise UserError(
            f"{path} is a web page and not a model. Download the file itself, not the page that "
            "shows it."
        )
    return head


def require_pytorch(path: Path) -> None:
    """Refuse a file that PyTorch cannot have written, or not completely.

    Raises
    ------
    UserError
    """
    head = require_content(path)
    if _is_safetensors(head):
        raise UserError(
            f"{path} is a safetensors file and not a checkpoint of PyTorch. Name the folder that "
            "holds it as encoder.safetensors, together with its config.json."
        )
    _refuse_text(head, path)
    if not head.startswith(b"PK"):
        return
    # The directory of a ZIP file is at its end.
    if not zipfile.is_zipfile(path):
        raise damaged(path, "its end is missing")
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise damaged(path, error) from None
    # PyTorch never compresses, and a compressed record may unpack to any size.
    if any(record.file_size > record.compress_size for record in records):
        raise damaged(path, "it has compressed records, which PyTorch never writes")


def require_safetensors(path: Path) -> None:
    """Refuse a file that is of another format than safetensors.

    Raises
    ------
    UserError
    """
    head = require_content(path)
    # The length of a header may begin with the bytes by which PyTorch's files are known.
    if head.startswith((b"PK", b"\x80")) and not _is_safetensors(head):
        raise UserError(
            f"{path} was written by PyTorch and is no safetensors file. Write the model with "
            "`semantoks.model.files.checkpoint.save`."
        )
    _refuse_text(head, path)


def damaged(path: Path, reason: object) -> UserError:
    """Describe a file that starts as a model and cannot be read."""
    return UserError(f"{path} is damaged ({first_line(reason)}). Download or write it again.")


def first_line(reason: object) -> str:
    """Return the first line of an error of a library, which may go on for hundreds."""
    lines = str(reason).strip().splitlines()
    return lines[0].strip().rstrip(".:") if lines else type(reason).__name__


def _is_safetensors(head: bytes) -> bool:
    # The length of a JSON header in eight bytes, then the header.
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32


def _refuse_text(head: bytes, path: Path) -> None:
    # Both formats have NUL bytes near their start, and text has none.
    if b"\0" not in head and head.isascii():
        start = head.decode("ascii").split("\n")[0][:40]
        raise UserError(
            f'{path} is a text file that starts with "{start}" and not a model. Download it again.'
        )


def plain_names(state: Mapping[Any, Any]) -> dict[str, Any]:
    """Remove what wrappers of a model add to the names of its weights.

    Raises
    ------
    ValueError
        If two weights have the same name then.
    """
    plain = {_plain_name(str(name)): value for name, value in state.items()}
    if len(plain) < len(state):
        raise ValueError("it has the same weight with and without a prefix")
    return plain


def _plain_name(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def load_weights(module: nn.Module, weights: Mapping[str, Any]) -> None:
    """Load weights of exactly the names and shapes of a module.

    Raises
    ------
    ValueError
        Saying in one line what does not fit; PyTorch lists every weight on a line of its own.
    """
    require_weights(module, weights)
    module.load_state_dict(dict(weights))


def require_weights(module: nn.Module, weights: Mapping[str, Any]) -> None:
    """Refuse weights of other names or shapes than those of a module, which may be a meta one.

    Raises
    ------
    ValueError
        See `load_weights`.
    """
    expected = module.state_dict()
    missing = [name for name in expected if name not in weights]
    unknown = [name for name in weights if name not in expected]
    reasons = [
        f"{what}: {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}"
        for what, names in (("missing", missing), ("unknown", unknown))
        if names
    ]
    differing = (
        _difference(name, weights[name], expected[name]) for name in expected.keys() - missing
    )
    reasons += sorted(filter(None, differing))[:1]
    if reasons:
        raise ValueError("; ".join(reasons))


def _difference(name: str, given: object, expected: Tensor) -> str | None:
    """Say how a weight differs from the expected one in kind or shape."""
    if not isinstance(given, Tensor):
        return f"{name} is a {type(given).__name__} and not a tensor"
    # PyTorch would convert quantised weights without their scale.
    if given.dtype != expected.dtype and not given.is_floating_point():
        return f"{name} has numbers of type {str(given.dtype).removeprefix('torch.')}"
    if given.shape != expected.shape:
        return f"{name} has the shape {tuple(given.shape)}, expected {tuple(expected.shape)}"
    return None


def require_stored(state: Mapping[str, Any]) -> None:
    """Refuse weights of which one number in the file stands for many, of any shape.

    Raises
    ------
    ValueError
    """
    for name, value in state.items():
        if not isinstance(value, Tensor):
            continue
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise ValueError(f"{name} has more numbers than are stored")


def require_finite(module: nn.Module, source: object) -> None:
    """Refuse a model with a weight that is NaN or infinite.

    Raises
    ------
    UserError
        Naming the first such weight.
    """
    states = module.state_dict()
    bad = [name for name, value in states.items() if not torch.isfinite(value).all()]
    if bad:
        raise UserError(
            f"{source} has NaN or infinite numbers in {len(bad)} of {len(states)} weights, the "
            f"first of them {bad[0]}, so every embedding would be without a value. The training "
            "diverged or the file is damaged: use an earlier checkpoint."
        )
