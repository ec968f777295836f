"""Write envs/NAME.yaml, the environments of `--use-conda`, from envs/NAME.in; see `make lock`.

Versions and hashes are those of requirements.txt. An environment with torch also gets the libraries
of cuda.txt on Linux, since pip demands hashes of everything that it installs.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ENVS = Path(__file__).parent
HEAD = """\
# Written by `make lock` from envs/{name}.in, versions and hashes as in requirements.txt; the code
# comes from this checkout.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def pins(file: str) -> dict[str, str]:
    """Return the lines of a locked file by package, each with its hashes on one line."""
    text = (ENVS / file).read_text().replace("\\\n", " ")
    lines = [" ".join(line.split()) for line in text.splitlines() if re.match("[a-z0-9]", line)]
    return {line.split("==")[0]: line for line in lines}


def names(environment: str) -> list[str]:
    """Resolve an environment with the versions of requirements.txt; return its packages."""
    command = ["uv", "pip", "compile", "-q", "--python-version", "3.11", "--no-header"]
    command += ["--no-annotate", str(ENVS / f"{environment}.in")]
    command += ["-c", str(ENVS / "requirements.txt"), "--excludes", str(ENVS / "cuda.in")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [line.split("==")[0] for line in done.stdout.splitlines()]


def main() -> None:
    """Write all environments."""
    locked, cuda = pins("requirements.txt"), pins("cuda.txt")
    for environment in ("images", "model", "tables"):
        needed = [locked[name] for name in names(environment)]
        if any(line.startswith("torch==") for line in needed):
            on_linux = " ; sys_platform == 'linux' "
            needed += [line.replace(" ", on_linux, 1) for line in cuda.values()]
        lines = "".join(f"      - {line}\n" for line in needed)
        (ENVS / f"{environment}.yaml").write_text(HEAD.format(name=environment) + lines)


if __name__ == "__main__":
    main()
