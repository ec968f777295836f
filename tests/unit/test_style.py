"""Rules of style that a machine can check; CONTRIBUTING.md has the others."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.workspaces import ROOT

SOURCES = sorted((ROOT / "src/semantoks").rglob("*.py"))
# Words that do not say what a thing is.
VAGUE = {"one", "found", "about", "own", "kept", "told", "way"}
MAX_FUNCTION = 60


def identifiers(tree: ast.AST) -> set[str]:
    names = set[str]()
    for node in ast.walk(tree):
        for field in ("id", "name", "arg", "attr", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                names.add(value)
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_say_what_a_thing_is(path: Path) -> None:
    assert identifiers(ast.parse(path.read_text())) & VAGUE == set()


def test_functions_fit_a_screen() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                start = node.body[1 if ast.get_docstring(node) else 0 :] or node.body
                length = (node.end_lineno or 0) - start[0].lineno + 1
                assert length <= MAX_FUNCTION, f"{path.name}: {node.name} has {length} lines"


def test_private_functions_of_15_lines_say_what_they_do() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not ast.get_docstring(node):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length < 15 or node.name == "__init__", f"{path}: {node.name}"


def test_a_package_imports_nothing_by_itself() -> None:
    """A stage must not load what only the environments of other stages have."""
    for path in SOURCES:
        if path.name == "__init__.py" and path.parent.name not in ("config", "catalogue"):
            body = ast.parse(path.read_text()).body
            assert not any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body), path


def test_the_version_has_one_source() -> None:
    import semantoks

    assert f"\nversion: {semantoks.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()
