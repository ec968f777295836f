"""Phenotypes: what is predicted, of which participants, and published scores."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from semantoks.config.base import Settings
from semantoks.people.columns import alternatives

# One name, or several of which the first that the table has is used: data holders export the same
# column under several names.
ColumnNames = str | Annotated[list[str], Field(min_length=1)]
Kind = Literal["classification", "regression"]
Cut = Literal["training", "once"]
Edge = Annotated[float, Field(allow_inf_nan=False)]
# Fields for the report only; without them in its settings, `split` is not re-run for an edit.
PUBLICATION = ("title", "data", "terms", "metric", "published", "sources")


def text_of_yaml(value: Any) -> Any:
    """Return a number of YAML as text; refuse what YAML no longer lets us tell apart.

    Raises
    ------
    ValueError
        For a boolean: YAML reads yes, on and true as the same, and the table has one of them.
    """
    if isinstance(value, bool):
        word = "yes, on or true" if value else "no, off or false"
        raise ValueError(
            f"{str(value).lower()} is what YAML makes of {word}; put the value into quotes, as the "
            "table has it"
        )
    return str(value) if isinstance(value, int | float) else value


class Condition(Settings):
    """Which participants are included, by the values or the range of one column."""

    column: ColumnNames | None = Field(
        None,
        description="Column, if it is not the name of the condition; of several names, the first "
        "that the table has.",
    )
    values: list[str] | None = Field(None, description="Values that are included.")
    min: float | None = Field(None, description="Smallest value that is included.")
    max: float | None = Field(None, description="Largest value that is included.")

    @field_validator("values", mode="before")
    @classmethod
    def _as_text(cls, values: Any) -> Any:
        """Accept ``[1, 2]`` as YAML reads it."""
        return [text_of_yaml(value) for value in values] if isinstance(values, list) else values

    def columns_of(self, name: str) -> list[str]:
        """Names of its column: `column`, or else the name of the condition."""
        return alternatives(self.column or name)

    @property
    def has_no_limits(self) -> bool:
        """Whether it only lists values."""
        return self.min is None and self.max is None

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if self.values is None and self.has_no_limits:
            raise ValueError("needs 'values', 'min' or 'max'")
        return self


class Published(Settings):
    """A published score for the same phenotype, and the conditions it was reached under."""

    model: str = Field(description="Model that was scored.")
    value: float = Field(description="Score in the unit of `metric` (0.65, not 65).")
    people: int | None = Field(None, ge=1, description="Number of participants.")
    train: int | None = Field(None, ge=1, description="Training participants per split.")
    validation: int | None = Field(None, ge=0, description="Validation participants per split.")
    test: int | None = Field(None, ge=1, description="Test participants per split.")
    classes: str = Field("", description="Classes, and how they are cut from a number.")
    head: str = Field("", description="What was trained on the representation.")
    atlas: str = Field("", description="Atlas of the time series.")
    preprocessing: str = Field("", description="Preprocessing of the images.")
    pretraining: str = Field(
        "", description="Whether the model was pretrained on the participants who are scored."
    )
    protocol: str = Field("", description="Remark on what else differs from this workflow.")
    source: str = Field(description="Publication.")


class Phenotype(Settings):
    """What is predicted, and of which participants."""

    kind: Kind = Field(description="`classification` or `regression`.")
    column: ColumnNames | None = Field(
        None,
        description="Column of the table of participants (default: the phenotype's name); of "
        "several names, the first that the table has.",
    )
    values: dict[str, str] | None = Field(
        None,
        description="Class names by value of the column; participants with other values are "
        "excluded.",
    )
    bins: int | None = Field(
        None,
        ge=2,
        le=10,
        description="Number of classes a number is cut into, at quantiles of the participants that "
        "`cut` says.",
    )
    cut: Cut = Field(
        "training",
        description="Whose quantiles cut `bins`: `training`: of the training participants of each "
        "split; `once`: of all participants of the phenotype, so that the class of a participant "
        "is the same in all splits.",
    )
    edges: Annotated[list[Edge], Field(min_length=1, max_length=9)] | None = Field(
        None,
        description="Fixed edges that cut a number into classes, one class more than edges: "
        "`[50, 60]` for below 50, 50 to below 60, and 60 and above.",
    )
    include: dict[str, Condition] = Field(
        {}, description="Inclusion criteria by column; participants without a value are excluded."
    )
    train_people: int | None = Field(
        None, ge=2, description="Training participants, if fewer than available (UK Biobank: 500)."
    )
    validation_people: int | None = Field(
        None, ge=0, description="Validation participants, instead of `splits.validation_fraction`."
    )
    test_people: int | None = Field(
        None, ge=1, description="Test participants, instead of `splits.test_fraction`."
    )
    stratified: bool = Field(
        True,
        description="Whether random splits are stratified by class (numbers by quantile); `false`: "
        "plain random draws.",
    )
    match: list[ColumnNames] | None = Field(
        None,
        description="Columns on which participants of two classes are matched in pairs, instead of "
        "`splits.match`; `[]`: nobody is matched.",
    )
    splits_file: str | None = Field(
        None,
        description="Table with `participant_id` and one column per split with the values "
        "`train`, `validation`, `test` or nothing; replaces the random splits.",
    )
    title: str = Field("", description="Title in the report.")
    data: str = Field("", description="Source of the data.")
    terms: str = Field("", description="Terms of use of the data.")
    metric: str = Field("balanced_accuracy", description="Metric of the published scores.")
    published: list[Published] = Field([], description="Published scores to compare with.")
    sources: dict[str, str] = Field(
        {},
        description="Where a column, code, number or rule of this phenotype comes from: a public "
        "source by claim, or `not verified` and why.",
    )

    def columns_of(self, name: str) -> list[str]:
        """Names of its column: `column`, or else the phenotype's own name."""
        return alternatives(self.column or name)

    def conditions(self) -> Iterator[tuple[str, list[str], Condition]]:
        """Yield the name of each condition, the names of its column, and the condition."""
        for name, condition in self.include.items():
            yield name, condition.columns_of(name), condition

    @property
    def has_named_classes(self) -> bool:
        """Whether the table itself names the classes, rather than `bins` or `edges` of a number."""
        return self.kind == "classification" and not self.bins and not self.edges

    @property
    def has_fixed_classes(self) -> bool:
        """Whether the class of a participant is the same in all splits."""
        return self.kind == "classification" and not (self.bins and self.cut == "training")

    @property
    def has_own_splits(self) -> bool:
        """Whether its splits come from a file or have sizes of their own."""
        sizes = (self.train_people, self.validation_people, self.test_people)
        return bool(self.splits_file) or any(size is not None for size in sizes)

    def columns_to_match(self, general: list[ColumnNames]) -> list[ColumnNames]:
        """Columns to match participants on: `match`, or else `splits.match` for named classes."""
        if self.match is not None:
            return self.match
        return general if self.has_named_classes else []

    def without_publication(self) -> Phenotype:
        """Drop what changes no split and no score: title, source, terms and published scores."""
        return self.model_copy(
            update={name: type(self).model_fields[name].default for name in PUBLICATION}
        )

    @field_validator("values", mode="before")
    @classmethod
    def _keys_as_text(cls, values: Any) -> Any:
        """Accept ``{1: patient}`` as YAML reads it."""
        if not isinstance(values, dict):
            return values
        return {text_of_yaml(key): text_of_yaml(name) for key, name in values.items()}

    @model_validator(mode="after")
    def _classes_fit(self) -> Phenotype:
        """Only a classification has classes, and they come from one of three keys."""
        given = [key for key in ("values", "bins", "edges") if getattr(self, key)]
        if given and self.kind != "classification":
            raise ValueError(f"'{given[0]}' needs `kind: classification`")
        if len(given) > 1:
            raise ValueError(
                f"give either '{given[0]}' or '{given[1]}': 'values' is for named classes, 'bins' "
                "cuts numbers at quantiles, and 'edges' at fixed values (write `null` for one that "
                "comes from a published task)"
            )
        if self.edges and any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("'edges' must ascend, each larger than the one before")
        if self.cut == "once" and not self.bins:
            raise ValueError("'cut: once' is about quantiles and needs 'bins'")
        return self

    @model_validator(mode="after")
    def _match_fits(self) -> Phenotype:
        if self.match and not self.has_fixed_classes:
            raise ValueError(
                "'match' pairs participants of two classes, so it needs `kind: classification` "
                "with classes that are the same in all splits (no 'bins', or `cut: once`)"
            )
        return self
