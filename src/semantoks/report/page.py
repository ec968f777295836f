"""Fill the template of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from semantoks import __version__
from semantoks.config import Config, Report
from semantoks.report import names
from semantoks.report.boilerplate.methods import Methods
from semantoks.report.cards import CardSection
from semantoks.report.classes import class_sizes, cut_text
from semantoks.report.datasets import DatasetSection
from semantoks.report.figures.scores import MINUTE_DECIMALS
from semantoks.report.importance import ImportanceSection
from semantoks.report.overlap import Overlap
from semantoks.report.privacy import (
    MIN_CELL_SIZE,
    count_text,
    participants_text,
    samples_text,
    scan_count_text,
)
from semantoks.report.reasons import ANOTHER_REASON
from semantoks.report.scaling import ScalingSection
from semantoks.report.steps import DECIMALS
from semantoks.report.summary import PageSummary
from semantoks.report.tasks import OF_CHANCE, TaskSection
from semantoks.report.variants import VariantSection
from semantoks.scores.participants import LEFT_OUT
from semantoks.scores.split.schemes.sites import MIN_CLASS, MIN_PART
from semantoks.system.package import commit_of_checkout


@dataclass(frozen=True)
class ModelSection:
    """How a model came to be; `figure` is None unless it was trained here."""

    name: str
    checkpoint: str | None
    figure: str | None


@dataclass(frozen=True)
class Made:
    """When and by which code; empty where it is not known."""

    date: str
    commit: str

    @classmethod
    def of_inputs(cls, paths: Sequence[Path]) -> Made:
        """Take the day of the newest input: the same scores then give the same page."""
        newest = max((path.stat().st_mtime for path in paths), default=0.0)
        day = datetime.fromtimestamp(newest, UTC)
        return cls(f"{day.day} {day:%B %Y}" if newest else "", commit_of_checkout())


@dataclass(frozen=True)
class Page:
    """All sections of the page, in their order."""

    summary: PageSummary
    made: Made
    methods: Methods
    tasks: Sequence[TaskSection]
    overlaps: Sequence[Overlap]
    cards: Sequence[CardSection]
    datasets: Sequence[DatasetSection]
    models: Sequence[ModelSection]
    importance: Sequence[ImportanceSection] = ()
    connectomes: Mapping[str, str] = field(default_factory=dict)
    scaling: Sequence[ScalingSection] = ()
    variants: Sequence[VariantSection] = ()


def render(page: Page, config: Config, settings: Report) -> str:
    """Return the page as HTML."""
    quoted = config.model_dump(mode="json")
    return (
        _environment(settings)
        .get_template("template.html")
        .render(
            vars(page),
            version=__version__,
            protocol=config.probe.protocol,
            combined=config.combined,
            given=config.representations,
            finetuned=config.finetune.models,
            harmonize=config.probe.harmonize,
            rounded=None if settings.participants else MIN_CELL_SIZE,
            config=yaml.safe_dump(quoted, sort_keys=True, allow_unicode=True),
        )
    )


def _environment(settings: Report) -> Environment:
    """Create the environment, with filters for numbers, counts and labels."""
    environment = Environment(
        loader=PackageLoader("semantoks", "report"),
        autoescape=True,  # names of data sets, classes and publications are the user's
        undefined=StrictUndefined,  # a misspelt name is an error, not an empty string
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "score": score_text,
        "signed": _signed,
        "p": p_text,
        "minutes": lambda minutes: f"{minutes:.{MINUTE_DECIMALS}f} min",
        "count": partial(count_text, settings=settings),
        "participants": partial(participants_text, settings=settings),
        "samples": partial(samples_text, settings=settings),
        "permuted": lambda how: names.PERMUTED.get(how, ""),
        "scans": partial(scan_count_text, settings=settings),
        "representation": names.representation_label,
        "cut": cut_text,
        "class_sizes": class_sizes,
        "scheme": names.SCHEMES.__getitem__,
        "left_out": lambda key: LEFT_OUT.get(key, ANOTHER_REASON),
        "covariate": lambda key: names.COVARIATES.get(key, key),
        "metric": lambda key: names.METRICS.get(key, key),
    }
    environment.globals |= {"site_people": MIN_PART, "site_class": MIN_CLASS}
    environment.globals |= {"of_chance": OF_CHANCE}
    environment.tests["baseline"] = names.is_baseline
    return environment


def score_text(value: float, decimals: int = DECIMALS) -> str:
    """Write a score; a dash for NaN."""
    return _number(value, decimals)


def p_text(p: float) -> str:
    """Write a p-value; a dash for NaN."""
    return "< 0.001" if p < 0.001 else score_text(p)


def _signed(value: float, decimals: int = DECIMALS) -> str:
    return _number(value, decimals, sign="+")


def _number(value: float, decimals: int, sign: str = "") -> str:
    if value != value:
        return "–"
    # The hyphen is narrower than the plus sign, and browsers may break a line after it.
    return f"{value:{sign}.{decimals}f}".replace("-", "−")
