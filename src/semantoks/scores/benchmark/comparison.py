"""Contents of a comparison, as stored in its JSON file.

A field that is None is stored as null, except those marked with `exclude_if`, which are absent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from semantoks.config import Cut, Kind, Protocol, Published, RowProtocol, Settings
from semantoks.scores.probe.exchange import How
from semantoks.scores.split.parts import Scheme

DifferenceMethod: TypeAlias = Literal["shuffles", "corrected t"]


def _is_none(value: object) -> bool:
    return value is None


def _is_empty(value: object) -> bool:
    return not value


class Summary(Settings):
    """A metric over the splits of a scheme."""

    mean: float
    sd: float
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")


class Difference(Settings):
    """Paired difference of a representation and its baseline over the same splits.

    Interval and p are NaN if there is no method with the stated error; see `Row.no_verdict`.
    """

    baseline: str = Field(description="The representation that is subtracted.")
    mean: float
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")
    p: float = Field(description="Two-sided, corrected for the overlap of splits.")
    method: DifferenceMethod = Field("corrected t", description="Of the interval and p.")


class Row(Settings):
    """One representation under one scheme.

    In JSON, the summaries stand beside the other fields under the names of their metrics.
    """

    representation: str
    protocol: RowProtocol = Field(
        "exact", description="By which it was scored: exact, paper or finetune."
    )
    features: int = Field(description="Number of features.")
    people_without_features: int | None = Field(
        None,
        exclude_if=_is_none,
        description="Participants of whom it knows nothing; absent if there are none.",
    )
    metrics: dict[str, Summary] = Field(description="By name of the metric.")
    splits: int | None = Field(
        None,
        exclude_if=_is_none,
        description="Number of splits, where it has fewer than the other rows of the scheme; its "
        "difference from the baseline is over these.",
    )
    chosen: dict[str, int] | None = Field(
        None,
        exclude_if=_is_none,
        description="Of a row that chooses among others: in how many splits it took each.",
    )
    difference_from_baseline: Difference | None = Field(
        None,
        description="Difference of the first metric from the baseline of the same protocol; absent "
        "for the baseline itself and for representations without features.",
    )
    no_verdict: str | None = Field(
        None, exclude_if=_is_none, description="Why it is not compared with the baseline."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _gather_metrics(cls, content: Any, handler: ModelWrapValidatorHandler[Row]) -> Row:
        if isinstance(content, Mapping) and "metrics" not in content:
            metrics = {key: content[key] for key in content if key not in cls.model_fields}
            fields = {key: content[key] for key in content if key in cls.model_fields}
            return handler(fields | {"metrics": metrics})
        return handler(content)

    @model_serializer(mode="wrap")
    def _spread_metrics(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        metrics, key = content.pop("metrics"), "difference_from_baseline"
        difference = content.pop(key)
        return content | metrics | ({} if difference is None else {key: difference})


class SchemeResult(Settings):
    """All representations under one scheme of splits."""

    scheme: Scheme
    splits: int = Field(description="Number of splits.")
    held_out: list[str] = Field(description="Sites that are held out, in the order of splits.")
    train_people: float = Field(
        description="Mean number of training participants, with those of the validation part."
    )
    validation_people: float = Field(
        0,
        description="Mean number of those on whom the paper's head chooses its learning rate, and "
        "fine-tuning its epoch.",
    )
    test_people: float = Field(description="Mean number of test participants.")
    representations: list[Row]
    notes: list[str] = Field([], description="Which numbers are withheld, and why.")

    def remark(self, row: Row, metric: str) -> str:
        """Say why numbers of a row are withheld; empty if none is."""
        withheld = " ".join(self.notes) if math.isnan(row.metrics[metric].mean) else ""
        return row.no_verdict or withheld


class CurvePoint(Settings):
    """A point of a learning curve."""

    train_people: float = Field(description="Mean number of training participants.")
    mean: float
    sd: float
    worth: float | None = Field(
        None,
        exclude_if=_is_none,
        description="Label efficiency against the baseline; only in the last point of a curve, and "
        "only if the better curve crosses the score of the other.",
    )


class DurationPoint(Settings):
    """A point of a curve of the score against the length of scans."""

    minutes: float = Field(
        description="From the beginning of each scan; of the last point the median length of the "
        "data set's scans, which are whole there."
    )
    mean: float
    sd: float
    splits: int = Field(description="Number of splits.")


class Publication(Settings):
    """What has been published on the phenotype."""

    title: str
    data: str
    terms: str
    metric: str
    published: list[Published]


class Comparison(Settings):
    """All representations of one data set, scored on one phenotype."""

    dataset: str
    phenotype: str
    kind: Kind
    bins: int | None
    cut: Cut = Field("training", description="Whose quantiles cut the bins.")
    edges: list[float] | None = Field(None, description="Fixed edges of the classes of a number.")
    people: int = Field(description="Number of participants, or of blocks.")
    persons: int | None = Field(
        None, exclude_if=_is_none, description="Number of people whose blocks they are."
    )
    classes: dict[str, int] | None = Field(description="Participants per class.")
    left_out: dict[str, int] = Field(description="Participants left out, by reason.")
    determined_by: list[str] = Field([], description="Confounds that determine the phenotype.")
    protocol: Protocol | Literal["finetune"]
    confounds: str
    metric: str = Field(description="The metric that representations are compared by.")
    baseline: str | None = Field(
        None,
        description="The representation that those of the exact protocol are compared with, if "
        "there is connectivity among them.",
    )
    schemes: list[SchemeResult]
    curves: dict[str, list[CurvePoint]] = Field(description="Learning curves by representation.")
    durations: dict[str, list[DurationPoint]] = Field(
        {},
        exclude_if=_is_empty,
        description="Score against the length of scans by representation, from the shortest to "
        "whole scans, over random or fixed splits; absent without `probe.seconds`.",
    )
    permutation: dict[str, float] = Field(description="Permutation p-value by representation.")
    permuted: How = Field("participants", description="Among whom the phenotype is permuted.")
    publication: Publication | None = Field(None, exclude_if=_is_none)
