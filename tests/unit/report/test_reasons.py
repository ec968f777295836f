"""Every sentence of the source has a fixed text, and no text says more than that."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import semantoks
from semantoks.config import Parcellation
from semantoks.data.parcellate.quality import _thresholds
from semantoks.data.parcellate.readers.text import TWO_HEADERS
from semantoks.data.preprocess.fmriprep.engine import NO_LABEL, NO_T1W
from semantoks.gate import Gate, problem_of_file
from semantoks.report.reasons import (
    ANOTHER_REASON,
    KINDS,
    WITHOUT_PARTNER,
    kind_of_exclusion,
    kind_of_unmatched,
)

SOURCE = Path(semantoks.__file__).parent
NAME = "sub-SECRET01_bold.nii.gz"
# What is raised as it is: its sentences come from the places that are tested by themselves.
PASSED_ON = {
    "threshold.explain(value)",
    "str(row['reason'])",
    "scan.problem",
    "_enumerate(problems)",
    "problem",
}
# Functions of `index` that return a sentence instead of raising it.
WITH_PROBLEMS = (
    *("derivatives/concatenations.py", "raw/runs.py", "raw/copies.py", "raw/other_layouts.py"),
    *("bids_files.py", "files.py", "stacked.py", "people/partners.py"),
)


def sentence_of(node: ast.expr) -> str | None:
    """Text of an expression, with a name of a file in place of every value."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(sentence_of(value) or NAME for value in values)
        case ast.BinOp(left=left, right=right):
            return f"{sentence_of(left)}{sentence_of(right)}"
    return None


def raised() -> Iterator[tuple[str, ast.expr]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ScanError":
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", node.args[0]


def problems() -> Iterator[str]:
    """Sentences with a value in them that functions of `index` assign or return."""
    for name in WITH_PROBLEMS:
        for node in ast.walk(ast.parse((SOURCE / "data/index" / name).read_text())):
            value = node.value if isinstance(node, ast.Assign | ast.Return) else None
            parts = value.elts if isinstance(value, ast.Tuple) else [value]
            texts = [sentence_of(part) for part in parts if isinstance(part, ast.JoinedStr)]
            yield from (text for text in texts if text and " " in text)


def test_every_reason_of_the_source_has_a_fixed_text() -> None:
    found, missing = 0, []
    for place, node in raised():
        sentence = sentence_of(node)
        if sentence is None:
            assert ast.unparse(node) in PASSED_ON, f"{place}: unknown kind of reason"
            continue
        if sentence == f"{NAME} {NAME}":
            sentence = f"{NAME} {TWO_HEADERS}"
        found += 1
        if kind_of_exclusion(sentence) == ANOTHER_REASON:
            missing.append(f"{place}: {sentence}")
    assert found > 90
    assert missing == []


def test_every_problem_of_the_index_has_a_fixed_text() -> None:
    sentences = list(problems())
    assert len(sentences) > 6
    assert [text for text in sentences if kind_of_exclusion(text) == ANOTHER_REASON] == []


def test_every_threshold_has_a_fixed_text() -> None:
    settings = Parcellation(min_tsnr=1, max_dvars=1)
    sentences = [threshold.explain(0.5) for threshold in _thresholds(settings)]
    sentences += [NO_T1W, NO_LABEL, "fMRIPrep wrote no brain mask (exit status 1; see logs/a.txt)"]
    assert [text for text in sentences if kind_of_exclusion(text) == ANOTHER_REASON] == []


def test_every_problem_of_the_gate_has_a_fixed_text(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "folder.tsv").mkdir(parents=True)
    os.mkfifo(root / "pipe.tsv")
    (root / "link.tsv").symlink_to(Path(__file__))
    (root / "gone.tsv").symlink_to(root / "nowhere")
    gate = Gate(root)
    problems = [
        gate.problem_of(path) for path in sorted(root.iterdir()) if "large" not in path.name
    ]
    problems += [
        problem_of_file(tmp_path / "large.tsv", largest=1),
        gate.problem_of(root / "no.tsv"),
    ]
    assert all(problems) and len(problems) == 6
    assert [text for text in problems if kind_of_exclusion(text) == ANOTHER_REASON] == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("head motion: mean framewise displacement 0.74 mm, at most 0.5 allowed", "head motion"),
        ("Jane Doe.npy is not a readable array (x)", "a file cannot be read"),
        ("sub-01_bold.nii.gz is missing", "the file is not here"),
        ("Jane Doe cannot be understood", ANOTHER_REASON),
        ("ValueError: /home/jane/5001", ANOTHER_REASON),
        ("no row in the table of participants", "no row in the table of participants"),
        ("", ANOTHER_REASON),
    ],
)
def test_kinds(reason: str, kind: str) -> None:
    assert kind_of_exclusion(reason) == kind


def test_words_of_the_reason_never_come_back() -> None:
    fixed = {*KINDS, ANOTHER_REASON}
    names = [NAME, "Jane Doe", "head motion: Jane", "DVARS (Jane)", "is missing/Jane: Doe, 5001"]
    for name in names:
        for _, node in raised():
            sentence = (sentence_of(node) or NAME).replace(NAME, name)
            assert kind_of_exclusion(sentence) in fixed
    assert kind_of_unmatched("no scan of Jane Doe.tsv") in WITHOUT_PARTNER.values()
    assert kind_of_unmatched("Jane Doe") == ANOTHER_REASON
