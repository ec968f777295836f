"""Published scores beside those of this report, with the conditions of both."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from semantoks.config import PAPER_SUFFIX, Config, Published, Report
from semantoks.report.classes import classes_text
from semantoks.report.names import HEADS, representation_label
from semantoks.report.overlap import Overlap
from semantoks.report.privacy import count_text, samples_text
from semantoks.scores.benchmark.comparison import Comparison, Row, SchemeResult

NO_SCAN = ("chance", "confounds")  # representations without a brain signal
UNKNOWN = "–"  # as a score that is not known
FORMS = {
    "fmriprep": "preprocessed images as given",
    "timeseries": "time series as given",
}


@dataclass(frozen=True)
class Conditions:
    """What a score depends on besides the model, as the page says it; a dash is not known.

    Attributes
    ----------
    people : str
        Number of participants.
    sizes : str
        Training, validation and test participants of a split.
    classes : str
        What is predicted, and how a number is cut into classes.
    head : str
        What was trained on the representation.
    atlas, preprocessing : str
    pretraining : str
        Overlap of pretraining with the participants who are scored.
    """

    people: str
    sizes: str
    classes: str
    head: str
    atlas: str
    preprocessing: str
    pretraining: str


@dataclass(frozen=True)
class PublishedScore:
    """A score of a publication, or one of this report beside it."""

    model: str
    value: float
    conditions: Conditions
    remark: str
    source: str
    is_ours: bool


def beside_published(
    comparison: Comparison, overlaps: Sequence[Overlap], config: Config, settings: Report
) -> list[PublishedScore]:
    """List published scores and those of this report in the same metric, highest first.

    Parameters
    ----------
    comparison : Comparison
        Rounded already if the report protects participants.
    overlaps : sequence of Overlap
        Of pretraining and tested participants.
    config : Config
        Atlas and preprocessing.
    settings : Report

    Returns
    -------
    list of PublishedScore
        Empty if nothing has been published on the phenotype.
    """
    publication = comparison.publication
    if publication is None or not publication.published:
        return []
    metric = publication.metric
    ours = [
        PublishedScore(
            representation_label(row.representation),
            row.metrics[metric].mean,
            _our_conditions(comparison, scheme, row, overlaps, config, settings),
            _splits_text(row.splits or scheme.splits, scheme),
            "this report",
            is_ours=True,
        )
        for scheme in comparison.schemes
        for row in scheme.representations
        # Chance and confounds use no brain signal and are no models to rank among others.
        if metric in row.metrics and row.representation.removesuffix(PAPER_SUFFIX) not in NO_SCAN
        if not math.isnan(row.metrics[metric].mean)
    ]
    return sorted([*map(_theirs, publication.published), *ours], key=lambda score: -score.value)


def _splits_text(splits: int, scheme: SchemeResult) -> str:
    return f"{splits} {'sites left out' if scheme.scheme == 'site' else 'splits'}"


def _theirs(score: Published) -> PublishedScore:
    """Write a score of a publication; what it does not state is a dash."""
    sizes = (score.train, score.validation, score.test)
    conditions = Conditions(
        people=_stated(score.people),
        sizes=UNKNOWN if sizes == (None, None, None) else " / ".join(map(_stated, sizes)),
        classes=score.classes or UNKNOWN,
        head=score.head or UNKNOWN,
        atlas=score.atlas or UNKNOWN,
        preprocessing=score.preprocessing or UNKNOWN,
        pretraining=score.pretraining or UNKNOWN,
    )
    return PublishedScore(
        score.model, score.value, conditions, score.protocol, score.source, is_ours=False
    )


def _stated(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number}"


def _our_conditions(
    comparison: Comparison,
    scheme: SchemeResult,
    row: Row,
    overlaps: Sequence[Overlap],
    config: Config,
    settings: Report,
) -> Conditions:
    """Write the conditions of a row of this report."""
    # Participants of the validation part train the exact probe, too.
    validation = 0 if row.protocol == "exact" else scheme.validation_people
    sizes = (scheme.train_people - validation, validation, scheme.test_people)
    return Conditions(
        people=count_text(comparison.people, settings)
        if comparison.persons is None
        else samples_text(comparison, settings),
        sizes=" / ".join(count_text(size, settings) for size in sizes),
        classes=classes_text(comparison),
        head=HEADS[row.protocol, comparison.kind],
        atlas=config.atlas,
        preprocessing=preprocessing_text(comparison.dataset, config),
        pretraining=_pretraining_text(
            comparison.dataset,
            config.combined.get(row.representation, [row.representation]),
            overlaps,
            settings,
            config.representations,
        ),
    )


def preprocessing_text(dataset: str, config: Config) -> str:
    """Say in a few words how images of a data set became time series.

    Parameters
    ----------
    dataset : str
    config : Config

    Returns
    -------
    str
        Engine or form of the data, what is regressed out, band and TR.
    """
    data, parcellation = config.datasets[dataset], config.parcellation
    engine = {"minimal": "built-in engine", "fmriprep": "fMRIPrep"}[config.preprocessing.engine]
    words = [FORMS.get(data.source, engine)]
    if data.source != "timeseries":  # nothing is regressed out of these
        words.append(f"confounds {data.confounds or parcellation.confounds}")
    words.append(f"{parcellation.high_pass:g}–{parcellation.low_pass:g} Hz")
    words.append(f"TR {parcellation.repetition_time:g} s")
    return ", ".join(words)


def _pretraining_text(
    dataset: str,
    representations: Sequence[str],
    overlaps: Sequence[Overlap],
    settings: Report,
    given: Collection[str] = (),
) -> str:
    """Say how many of the participants the models of a row were pretrained on, at least."""
    # Names of models are letters and digits: `model`, `model-networks`, `model+fc`.
    models = [re.split(r"\W", name, maxsplit=1)[0] for name in representations]
    if not set(given).isdisjoint(models):
        return "not known (made elsewhere)"
    of_row = [part for part in overlaps if part.dataset == dataset and part.model in models]
    if not of_row:
        return "no pretraining"
    if not all(overlap.known for overlap in of_row):
        return "not known (given checkpoint)"
    shared = max(max(overlap.same_id, overlap.same_scan) for overlap in of_row)
    of_all = count_text(of_row[0].participants, settings)
    return f"{count_text(shared, settings)} of {of_all} participants" if shared else "none"
