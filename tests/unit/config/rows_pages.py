"""The parts of docs/rows that come from the catalogue; `python -m tests.unit.config.rows_pages`.

A part begins with ``<!-- generated: NAME -->`` and ends with ``<!-- end -->``. What differs from
what the catalogue says fails a test, and this module writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from semantoks.config import catalogue

PAGES = Path(__file__).parents[3] / "docs/rows"
PART = re.compile(r"(<!-- generated: (\w+) -->\n\n).*?(\n\n<!-- end -->)", re.DOTALL)
METRICS = {"balanced_accuracy": "balanced accuracy", "pearson_r": "Pearson r"}
PARTS = ("train", "validation", "test")


def columns(task: dict[str, Any]) -> list[str]:
    """Names of the column, of which the first that a table has counts."""
    column = task["column"]
    return column if isinstance(column, list) else [column]


def facts(name: str) -> str:
    """What is predicted, of whom, and how it is split."""
    task = catalogue.entry(name)
    return table(("key", "value"), _facts(task))


def _facts(task: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    yield "preset", f"`{task['preset']}`"
    for key, value in task.get("dataset", {}).items():
        yield f"data set: {key}", f"`{value}`"
    yield "column", " or ".join(f"`{name}`" for name in columns(task))
    if "values" in task:
        yield "classes", ", ".join(f"`{code}` {name}" for code, name in task["values"].items())
    elif "bins" in task:
        yield "classes", f"{task['bins']}, by quantiles, cut {task['cut']}"
    sizes = [f"{task[f'{part}_people']:,}" for part in PARTS if f"{part}_people" in task]
    if sizes:
        yield "training, validation and test people", ", ".join(sizes)
    yield "data", task["data"]
    yield "terms", task["terms"]


def published(name: str) -> str:
    """Scores that are published for the task, one row each."""
    task = catalogue.entry(name)
    if not task.get("published"):
        return "None that we know of."
    metric = METRICS[task.get("metric", "balanced_accuracy")]
    header = ("model", metric, "people", "training / validation / test", "remark", "source")
    return table(header, [_published(score) for score in task["published"]])


def _published(score: dict[str, Any]) -> tuple[str, ...]:
    sizes = " / ".join(f"{score[part]:,}" for part in PARTS if part in score)
    remark = score.get("protocol", "") or "–"
    people = f"{score['people']:,}" if "people" in score else "–"
    return score["model"], f"{score['value']:.4f}", people, sizes or "–", remark, score["source"]


def claims(name: str) -> str:
    """Where each column, code, number and rule of a task comes from."""
    return table(("claim", "source"), catalogue.entry(name)["sources"].items())


def all_rows(_: str) -> str:
    """All rows with their page, the command, and what is published: the paper's first."""
    header = ("row", "what", "command", "published by", "people")
    rows = sorted(
        catalogue.row_names(), key=lambda name: not catalogue.entry(name).get("published")
    )
    return table(header, [_row(name) for name in rows])


def _row(name: str) -> tuple[str, ...]:
    task = catalogue.entry(name)
    scores = task.get("published", [])
    models = list(dict.fromkeys(score["model"] for score in scores)) or ["–"]
    people = max((score.get("people", 0) for score in scores), default=0)
    link = f"[{name}]({name}.md)"
    cells = (", ".join(models), f"{people:,}" if people else "–")
    return f"**{link}**" if scores else link, task["title"], f"`row={name}`", *cells


def all_sources(_: str) -> str:
    """Every claim of presets and tasks with its source."""
    rows = [
        (f"preset `{name}`", *row) for name in catalogue.preset_names() for row in comments(name)
    ]
    for name in catalogue.names():
        rows += [(f"`{name}`", *row) for row in catalogue.entry(name)["sources"].items()]
    return table(("preset or task", "claim", "source"), rows)


def comments(preset: str) -> list[tuple[str, str]]:
    """What the comments above each key of a preset say: why, and where from."""
    above, rows = [], []
    for line in catalogue.preset_text(preset).splitlines():
        if line.startswith("# "):
            above.append(line[2:])
        elif key := re.match(r"(\w+):", line):
            rows.append((f"`{key[1]}`", " ".join(above)))
            above = []
        elif not line.strip():
            above = []
    return rows


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a Markdown table."""
    header = list(header)
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in x) + " |" for x in lines
    )


WRITERS: dict[str, Callable[[str], str]] = {
    "facts": facts,
    "published": published,
    "claims": claims,
    "rows": all_rows,
    "sources": all_sources,
}


def updated(page: Path) -> str:
    """Return a page with its generated parts as the catalogue has them now."""
    text = page.read_text(encoding="utf-8")
    return PART.sub(lambda part: part[1] + WRITERS[part[2]](page.stem) + part[3], text)


if __name__ == "__main__":
    for page in sorted(PAGES.glob("*.md")):
        page.write_text(updated(page), encoding="utf-8")
