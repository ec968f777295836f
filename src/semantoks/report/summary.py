"""The top of the page: what beats what, on how many people, and what to be careful about."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semantoks.config import CONNECTIVITY, MIN_TESTED, MIN_TRAINED, Config, Report
from semantoks.report.figures.comparison import Contrast, contrasts_figure
from semantoks.report.names import METRICS, plural, representation_label
from semantoks.report.privacy import samples_text
from semantoks.report.tasks import OF_CHANCE, TaskSection
from semantoks.scores.benchmark.compare import SIGNIFICANCE_LEVEL
from semantoks.scores.benchmark.withheld import TOO_FEW_TESTED

MOST_ROWS = 40  # of the figure
EXACT_DECIMALS = 2
MOST_TASKS = 8  # in words; of more, the lead sentence and the figure must do
ABOVE, BELOW, UNCLEAR = "above baseline", "below baseline", "no clear difference"
WORDS = {
    ABOVE: "Above it",
    OF_CHANCE: "Above it, but not clearly above chance",
    BELOW: "Below it",
    UNCLEAR: "No clear difference",
}


@dataclass(frozen=True)
class TaskSummary:
    """One phenotype in a sentence."""

    title: str
    anchor: str
    text: str


@dataclass(frozen=True)
class PageSummary:
    """What stands on top of the page.

    Attributes
    ----------
    lead : str
        All comparisons in a sentence or two.
    tasks : list of TaskSummary
    figure : str or None
        None if nothing is compared.
    cautions : dict of str to list of str
        Phenotypes that a caution is about.
    """

    lead: str
    tasks: list[TaskSummary]
    figure: str | None
    cautions: dict[str, list[str]]


def page_summary(tasks: Sequence[TaskSection], config: Config, settings: Report) -> PageSummary:
    """Sum up the first scheme of each phenotype.

    Every row of a model counts, whatever its score: only the best of them would be a lucky one.

    Parameters
    ----------
    tasks : sequence of TaskSection
    config : Config
    settings : Report
    """
    cautions: dict[str, list[str]] = {}
    for name, dataset in config.datasets.items():
        if dataset.simulate and dataset.phenotypes:
            sentence = "Simulated data: scores say that the pipeline works, and nothing of people."
            cautions.setdefault(sentence, []).append(name)
    for task in tasks:
        for caution in task.cautions:
            cautions.setdefault(caution, []).append(task.comparison.phenotype)
    contrasts = _contrasts(tasks)
    baselines = {task.comparison.baseline for task in tasks if task.comparison.baseline}
    name = representation_label(baselines.pop()) if len(baselines) == 1 else "the baseline"
    return PageSummary(
        lead=_lead(tasks, name),
        tasks=[_task_summary(task, settings) for task in tasks[:MOST_TASKS]],
        figure=contrasts_figure(contrasts, name) if contrasts else None,
        cautions=cautions,
    )


def _lead(tasks: Sequence[TaskSection], baseline: str) -> str:
    """Count the verdicts on models."""
    verdicts = [row.verdict for task in tasks for row in task.of_models]
    compared = [verdict for verdict in verdicts if verdict in WORDS]
    if not tasks:
        return "No phenotype is scored."
    if not compared:
        reasons = dict.fromkeys(row.no_verdict for t in tasks for row in t.of_models)
        because = "; ".join(reason for reason in reasons if reason)
        text = f"No model is compared with connectivity{f': {because}' if because else ''}."
        if TOO_FEW_TESTED in reasons:
            text += (
                f" It takes {2 * MIN_TESTED} usable participants to test {MIN_TESTED} of them, and "
                f"of classes at least {MIN_TRAINED} of each to train on. A participant is usable "
                "with a value of the phenotype and a scan that is not excluded."
            )
        return text
    rows = [[row for row in task.of_models if row.verdict in WORDS] for task in tasks]
    names = {row.representation for of_task in rows for row in of_task}
    above, below = compared.count(ABOVE), compared.count(BELOW)
    text = (
        f"Of {len(compared)} comparisons of a model with {baseline} ({plural(len(names), 'row')} "
        f"of models, {plural(sum(map(bool, rows)), 'phenotype')}), {above} "
        f"{_is(above)} clearly above it, {below} clearly below, and "
        f"{compared.count(UNCLEAR)} {'shows' if compared.count(UNCLEAR) == 1 else 'show'} no clear "
        f"difference (p < {SIGNIFICANCE_LEVEL:g}, adjusted for the number of phenotypes)."
    )
    return " ".join([text, *_remarks(tasks, compared)])


def _remarks(tasks: Sequence[TaskSection], compared: Sequence[str]) -> Iterator[str]:
    """Say what the numbers of verdicts leave out."""
    if count := compared.count(OF_CHANCE):
        yield f"{count} more {_is(count)} above it, but not clearly above chance."
    skipped = [
        task.comparison.phenotype
        for task in tasks
        if not any(row.verdict in WORDS for row in task.of_models)
    ]
    if skipped:
        yield f"Not compared: {', '.join(skipped)}; the reasons stand below."
    if UNCLEAR in compared:
        yield "No clear difference does not mean that they are equal: look at the intervals."


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _task_summary(task: TaskSection, settings: Report) -> TaskSummary:
    """Say who is above and below the baseline on one phenotype."""
    comparison = task.comparison
    rows = {row.representation: row for row in task.schemes[0].rows}
    baseline = rows.get(comparison.baseline or "")
    metric, digits = METRICS[comparison.metric], _decimals(task)
    parts = [samples_text(comparison, settings)]
    if baseline is not None and math.isnan(baseline.score.mean):
        label = representation_label(baseline.representation)
        parts.append(f"{metric} of {label} is not computed")
    elif baseline is not None:
        score = baseline.score
        ends = _decimals(task, of_interval=True)
        interval = f"({_short(score.low, ends)} to {_short(score.high, ends)})"
        label = representation_label(baseline.representation)
        parts.append(f"{metric} of {label} {_short(score.mean, digits)} {interval}")
    sentences = [f"{'; '.join(parts)}."]
    for verdict, words in WORDS.items():
        names = [
            f"{representation_label(row.representation)} {_short(row.score.mean, digits)}"
            for row in task.of_models
            if row.verdict == verdict
        ]
        if names:
            sentences.append(f"{words}: {', '.join(names)}.")
    sentences += [*_not_compared(task), *_above_the_choice(task)]
    title = f"{comparison.phenotype} in {comparison.dataset}"
    return TaskSummary(title, f"{comparison.dataset}-{comparison.phenotype}", " ".join(sentences))


def _not_compared(task: TaskSection) -> Iterator[str]:
    """Say why no model is compared."""
    rows = task.of_models
    if rows and not any(row.verdict in WORDS for row in rows):
        reasons = dict.fromkeys(row.no_verdict for row in rows if row.no_verdict)
        yield f"No model is compared{': ' if reasons else ''}{'; '.join(reasons)}."


def _above_the_choice(task: TaskSection) -> Iterator[str]:
    """Name single connectivities that score higher than the one chosen in the training data."""
    rows = task.schemes[0].rows
    best = next((row for row in rows if row.is_baseline and row.chosen), None)
    # A correlation below zero is no success, however bad the one that was chosen.
    least = max(best.score.mean, 0) if best else math.inf
    digits = _decimals(task)
    higher = [
        f"{representation_label(row.representation)} {_short(row.score.mean, digits)}"
        for row in rows
        if row.representation in CONNECTIVITY and row.score.mean > least
    ]
    if higher:
        yield (
            "The best connectivity is chosen within the training data; on the test participants "
            f"these score higher: {', '.join(higher)}."
        )


def _short(score: float, decimals: int) -> str:
    return f"{score:.{decimals}f}".replace("-", "−")


def _decimals(task: TaskSection, *, of_interval: bool = False) -> int:
    """Return two decimals of exact scores, and all of rounded ones: twice rounded is wrong."""
    scheme = task.schemes[0]
    if scheme.steps is None:
        return EXACT_DECIMALS
    return scheme.decimals(task.comparison.metric, of_interval=of_interval)


def _contrasts(tasks: Sequence[TaskSection]) -> list[Contrast]:
    """List the differences of models; of many, those that are not combined with others."""
    rows = [
        (row, task)
        for task in tasks
        for row in task.of_models
        if row.difference is not None and row.verdict in WORDS
    ]
    if len(rows) > MOST_ROWS:
        rows = [(row, task) for row, task in rows if "+" not in row.representation]
    return [
        Contrast(
            group=f"{task.comparison.phenotype}, {METRICS[task.comparison.metric]}",
            label=representation_label(row.representation),
            mean=row.difference.mean,
            low=row.difference.low,
            high=row.difference.high,
            verdict=row.verdict,
        )
        for row, task in rows[: 2 * MOST_ROWS]
        if row.difference is not None
    ]
