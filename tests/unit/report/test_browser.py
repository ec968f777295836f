"""The page in a real browser: no error, and tables that sort."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Report
from semantoks.report.scan_page.settings import ScanPageSettings
from semantoks.report.scan_page.stage import scan_page
from tests.conftest import write_cohort
from tests.unit.report.conftest import write_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
# Errors of the page become text that its source shows.
HEAD = """<script>
window.addEventListener("error", event => document.documentElement.dataset.error = event.message);
</script>"""


def dom_of(page: Path, script: str) -> str:
    """Open a page, run a script when it is ready, and return its elements as text."""
    html = page.read_text()
    tail = f'<script type="module">{script}</script></body>'
    changed = page.with_name("in_browser.html")
    changed.write_text(html.replace("<head>", f"<head>{HEAD}").replace("</body>", tail))
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={page.parent / 'profile'}", "--enable-logging=stderr"]
    done = subprocess.run(
        [*command, changed.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    assert "data-error=" not in done.stdout, re.findall('data-error="[^"]*"', done.stdout)
    assert not re.search(r"CONSOLE.*(Uncaught|Error)", done.stderr), done.stderr
    return done.stdout


SORT = """
const table = document.querySelector("#toy-group table[data-name]");
const buttons = table.querySelectorAll("th button");
const names = column => [...table.rows].slice(1).map(row => row.cells[column].innerText).join("|");
buttons[1].click();
document.documentElement.dataset.up = names(1);
buttons[1].click();
document.documentElement.dataset.down = names(1);
document.documentElement.dataset.heading = table.rows[0].cells[1].getAttribute("aria-sort");
document.documentElement.dataset.tools = document.querySelectorAll(".tool").length;
"""


def test_the_page_has_no_error_and_its_tables_sort(results: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(results, tmp_path / "results"))
    write_page(folder, Report(participants=True))
    dom = dom_of(folder / "index.html", SORT)
    up, down = (
        [float(value) for value in re.findall(rf'data-{order}="([^"]*)"', dom)[0].split("|")]
        for order in ("up", "down")
    )
    assert len(up) == 3 and up == sorted(up) and down == up[::-1]
    assert 'data-heading="descending"' in dom
    tools = re.findall(r'data-tools="(\d+)"', dom)
    assert int(tools[0]) >= 5


def test_numbers_below_a_limit_and_dashes_are_sorted(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    script = Path(__file__).parents[3] / "src/semantoks/report/page.js"
    cells = ("0.5", "−0.2", "–", "< 0.001", "1.2 to 3")
    rows = "".join(f"<tr><td>{cell}</td></tr>" for cell in cells)
    table = f'<table data-name="x"><tbody><tr><th>p</th></tr>{rows}</tbody></table>'
    body = f'{table}<script type="module">{script.read_text()}</script>'
    page.write_text(f"<!doctype html><html><head></head><body>{body}</body></html>")
    dom = dom_of(page, "document.querySelector('th button').click();")
    order = re.findall(r"<td>([^<]*|&lt; 0.001)</td>", dom)
    assert order == ["−0.2", "&lt; 0.001", "0.5", "1.2 to 3", "–"]


SCANS = """
const root = document.documentElement.dataset;
const names = () => [...document.querySelectorAll("#scans h2")].map(h => h.innerText).join("|");
const sort = document.getElementById("sort");
sort.value = "excluded";
sort.dispatchEvent(new Event("change"));
root.first = names();
document.querySelector("button.picture").click();
root.open = document.getElementById("large").open;
"""


def test_scans_are_sorted_and_pictures_enlarged(tmp_path: Path, manifest: Manifest) -> None:
    write_cohort(tmp_path, manifest)
    columns = "scan\tparticipant_id\tsession\ttask\trun\tfile\tversion\tproblem\trepetition_time\n"
    (tmp_path / "shard.tsv").write_text(columns)
    page = tmp_path / "page.html"
    scan_page(
        ScanPageSettings(
            dataset="toy",
            number=0,
            shards=1,
            source="timeseries",
            participants=True,
            max_mean_fd=0.5,
        ),
        runs=tmp_path / "shard-1.parquet",
        shard=tmp_path / "shard.tsv",
        data=tmp_path,
        out=page,
    )
    dom = dom_of(page, SCANS)
    order = re.findall(r'data-first="([^"]*)"', dom)[0].split("|")
    assert order[:2] == ["sub-23_task-rest", "sub-01_task-rest"]  # the excluded one is first
    assert 'data-open="true"' in dom
