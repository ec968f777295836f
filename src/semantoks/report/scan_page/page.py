"""Fill the template of the page of a shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from semantoks.artifacts.timeseries import Manifest
from semantoks.report.scan_page.section import MEASURES, ScanSection
from semantoks.report.scan_page.settings import ScanPageSettings
from semantoks.report.scan_page.traces import HEIGHT, WIDTH

LEGIBLE = 4.5  # % of the height of a small connectome that a name needs


@dataclass(frozen=True)
class Band:
    """Where the regions of a network are in a carpet or connectome, in % of its height."""

    network: str
    start: float
    size: float


def _bands(networks: Sequence[str]) -> list[Band]:
    bands, start = [], 0.0
    for network, count in sorted(Counter(networks).items()):
        size = 100 * count / len(networks)
        bands.append(Band(network, start, size))
        start += size
    return bands


def render(sections: Sequence[ScanSection], manifest: Manifest, settings: ScanPageSettings) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("semantoks", "report/scan_page"),
        autoescape=True,  # names of scans and networks are the user's
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bands = _bands(manifest.networks)
    known = {key for section in sections for key in section.keys}
    return environment.get_template("page.html").render(
        sections=sections,
        settings=settings,
        excluded=sum(bool(section.reason) for section in sections),
        networks=Counter(sorted(manifest.networks)),
        bands=bands,
        named=[band for band in bands if band.size >= LEGIBLE],
        sorting={key: label for key, (label, _) in MEASURES.items() if key in known},
        width=WIDTH,
        height=HEIGHT,
        has_images=any(section.bold or section.t1w for section in sections),
    )
