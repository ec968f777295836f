"""Documents name files that exist, and wrap."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.workspaces import ROOT

DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(path for path in (ROOT / "docs").rglob("*.md") if path.name != "configuration.md"),
    ROOT / "config/README.md",
]
FOLDERS = ("src", "tests", "speed", "experiments", "workflow", "envs", "profiles", "docs")


def folders_of_text() -> list[Path]:
    """Folders below which documents may name a file, from the root or from the package."""
    return [ROOT, ROOT / "src", ROOT / "src/semantoks", ROOT / "tests", ROOT / "docs"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(path: Path) -> None:
    text = path.read_text()
    links = re.findall(r"\]\((?!http|#|mailto)([^)#\s]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+\w)`", text)
    named += re.findall(r"`([\w/]+/[\w/]+\.(?:py|smk))`", text)
    example = "durations"  # the stage that CONTRIBUTING.md adds as an example
    missing = [
        name
        for name in named
        if example not in name and not any((f / name).exists() for f in folders_of_text())
    ]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_wraps_at_100_columns(path: Path) -> None:
    code, too_long = False, []
    for line in path.read_text().splitlines():
        if line.startswith("```"):
            code = not code
        prose = not code and not line.lstrip().startswith(("|", "[", "- [", "!"))
        if prose and len(line) > 100 and "](" not in line:
            too_long.append(line)
    assert too_long == []
