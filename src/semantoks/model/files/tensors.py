"""Write safetensors files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from semantoks.artifacts.files import atomic


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write tensors completely or not at all.

    Raises
    ------
    OSError
        When the disk refuses, with the number that safetensors only has in its text.
    """
    # save_file refuses tensors that are not contiguous.
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic(path) as temporary:
        try:
            save_file(contiguous, temporary, metadata)
        except SafetensorError as error:
            number = re.search(r"\(os error (\d+)\)", str(error))
            if not number:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None
