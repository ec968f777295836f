"""Write the page of the scans of one shard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.files import atomic
from semantoks.artifacts.timeseries import iter_scans, read_manifest, read_scan_table
from semantoks.gate import Gate
from semantoks.report.scan_page.images import ImageFinder
from semantoks.report.scan_page.page import render
from semantoks.report.scan_page.section import ScanSection, scan_section
from semantoks.report.scan_page.settings import ScanPageSettings


def scan_page(
    settings: ScanPageSettings,
    *,
    runs: Path,
    shard: Path,
    data: Path,
    link_targets: Sequence[str] = (),
    out: Path,
) -> list[Path]:
    """Write one HTML page with pictures of every scan of a shard, also of excluded ones.

    Images that cannot be read are left out with a sentence, and never stop the page.

    Parameters
    ----------
    settings : ScanPageSettings
    runs : Path
        Time series that `parcellate` wrote.
    shard : Path
        Table of the shard that `index` wrote.
    data : Path
        Derivatives that `preprocess` wrote for the shard, or the data set itself.
    link_targets : sequence of str
        Folders that links of the data set may lead to.
    out : Path
        HTML.

    Returns
    -------
    list of Path
        `out`.
    """
    manifest, table = read_manifest(runs), read_scan_table([runs])
    included = iter_scans([runs])
    finder = ImageFinder.of_shard(shard, data, settings.source, manifest.space)
    sections = list[ScanSection]()
    with Gate(data, [Path(folder) for folder in link_targets]):
        for number, row in enumerate(table.to_dict("records"), 1):
            # Both are sorted by the name of the scan, and only included ones have time series.
            series = next(included).timeseries_CT if row["status"] == "ok" else None
            images = finder.read(row["scan"])
            sections.append(scan_section(number, row, series, images, manifest, settings))
    with atomic(out, of_people=True) as temporary:
        temporary.write_text(render(sections, manifest, settings), encoding="utf-8")
    return [out]
