"""Where the workflow that belongs to this installation is."""

from __future__ import annotations

from pathlib import Path

import semantoks
from semantoks.errors import UserError


def snakefile() -> Path:
    """Path of the Snakefile: in the wheel, or at the root of the checkout.

    Raises
    ------
    UserError
        When the package was installed without it.
    """
    package = Path(semantoks.__file__).resolve().parent
    for folder in (package / "pipeline", package.parents[1]):
        if (folder / "workflow/Snakefile").is_file():
            return folder / "Snakefile"
    raise UserError(f"There is no Snakefile in {package}. Install Semantoks again.")
