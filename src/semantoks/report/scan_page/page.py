"""Fill the template of the page of a shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from semantoks.artifacts.timeseries import Manifest
from semantoks.report.scan_page.section import MEASURES, ScanSection
from semantoks.report.scan_page.settings import ScanPageSettings
from semantoks.report.scan_page.traces import HEIGHT, WIDTH


def render(sections: Sequence[ScanSection], manifest: Manifest, settings: ScanPageSettings) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("semantoks", "report/scan_page"),
        autoescape=True,  # names of scans and networks are the user's
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known = {key for section in sections for key in section.keys}
    return environment.get_template("page.html").render(
        sections=sections,
        settings=settings,
        excluded=sum(bool(section.reason) for section in sections),
        networks=Counter(sorted(manifest.networks)),
        sorting={key: label for key, (label, _) in MEASURES.items() if key in known},
        width=WIDTH,
        height=HEIGHT,
        has_images=any(section.bold or section.t1w for section in sections),
    )
