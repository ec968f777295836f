"""Templates of files: entities in names, and matching that stays fast."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from semantoks.data.index.templates import entities_by_template, find_by_template


def by_regular_expression(text: str, template: str) -> dict[str, str] | None:
    """Match as plainly as possible; slow for names that do not fit."""
    pattern, named = "", set[str]()
    for part, name in re.findall(r"([^{}]*)(?:{(\w+)})?", template):
        pattern += re.escape(part).replace(r"\*", "[^/]*")
        if name:
            pattern += f"(?P={name})" if name in named else f"(?P<{name}>[^/]+?)"
            named.add(name)
    match = re.fullmatch(pattern, text)
    return match.groupdict() if match else None


def test_matches_like_a_regular_expression() -> None:
    rng = random.Random(0)
    pieces = [
        "{participant}",
        "{session}",
        "{run}",
        "{participant}",
        "*",
        "**",
        "a",
        "_",
        "/",
        ".t",
    ]
    matched = 0
    for _ in range(4000):
        template = "".join(rng.choices(pieces, k=rng.randint(1, 6)))
        text = "".join(rng.choices("aab_/.t", k=rng.randint(1, 9)))
        expected = by_regular_expression(text, template)
        assert entities_by_template(text, template) == expected, (text, template)
        matched += expected is not None
    assert matched > 400


@pytest.mark.parametrize(
    "template",
    [
        "*a" * 12 + "{participant}q.tsv",
        "{participant}" + "*a*" * 12 + "q.tsv",
        "{participant}_{session}_{task}_{run}/" * 3 + "*q.tsv",
        "*" * 200 + "{participant}*q.tsv",
        "{participant}_{session}_{task}_{run}_*_*_*_*q",
    ],
)
def test_many_stars_are_fast(template: str) -> None:
    start = time.process_time()
    for text in ("a" * 250 + ".tsv", "a_" * 120 + ".tsv", "_" * 250):
        assert entities_by_template(text, template) is None
    assert time.process_time() - start < 2


def test_a_name_that_fits_in_too_many_ways_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    template = "{participant}{session}{task}{run}" * 3 + "*q.tsv"
    start = time.process_time()
    assert entities_by_template("a" * 250, template) is None
    assert time.process_time() - start < 2
    assert "is left out: the template {participant}{session}" in caplog.text


def test_stars_beside_entities_are_one_pattern(tmp_path: Path) -> None:
    """`pathlib` refuses two stars in a row, unless they are a whole folder, of any depth."""
    for name in ("x1_a.tsv", "folder/x2_a.tsv", "folder/below/x3_a.tsv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for template, expected in {
        "{participant}*_a.tsv": ["x"],
        "**/{participant}_a.tsv": ["x2"],
        "folder/**{run}/{participant}_*": ["x3"],
    }.items():
        found = [entities["participant"] for _, entities in find_by_template(tmp_path, template)]
        assert found == expected
