"""What is predicted: a column of the table of people, and what became of it in publications."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from semantoks.config.base import Settings

Kind = Literal["classification", "regression"]
PUBLICATION = ("title", "data", "terms", "metric", "published")


class Condition(Settings):
    """Who is included, by one column: by its values, or by a range."""

    values: list[str] | None = Field(None, description="Values that are included.")
    min: float | None = Field(None, description="Smallest value that is included.")
    max: float | None = Field(None, description="Largest value that is included.")

    @field_validator("values", mode="before")
    @classmethod
    def _as_text(cls, values: Any) -> Any:
        """Accept ``[1, 2]`` as YAML reads it."""
        return [str(value) for value in values] if isinstance(values, list) else values

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if self.values is None and self.min is None and self.max is None:
            raise ValueError("needs 'values', 'min' or 'max'")
        return self


class Published(Settings):
    """A score that somebody else has published for the task."""

    model: str = Field(description="What was scored.")
    value: float = Field(description="The score, of the same kind as `metric` (0.65, not 65).")
    protocol: str = Field("", description="How it was scored, where that differs from ours.")
    source: str = Field(description="Where it was published.")


class Phenotype(Settings):
    """What is predicted."""

    kind: Kind = Field(description="`classification` or `regression`.")
    column: str | None = Field(
        None, description="Column of the table of people (default: the name of the phenotype)."
    )
    values: dict[str, str] | None = Field(
        None, description="Names of classes by what the column holds; other people are left out."
    )
    bins: int | None = Field(
        None,
        ge=2,
        le=10,
        description="Cut a number into so many classes, at quantiles of the training people.",
    )
    include: dict[str, Condition] = Field(
        {}, description="Who is included, by column; people without a value are not."
    )
    train_people: int | None = Field(
        None, ge=2, description="People to train on, fewer than there are (UK Biobank: 500)."
    )
    validation_people: int | None = Field(
        None, ge=0, description="People to validate on, instead of `splits.validation_fraction`."
    )
    test_people: int | None = Field(
        None, ge=1, description="People to test, instead of `splits.test_fraction`."
    )
    splits_file: str | None = Field(
        None,
        description="Table with `participant_id` and one column per split that says `train`, "
        "`validation`, `test` or nothing, instead of random splits.",
    )
    title: str = Field("", description="What it is, for the report.")
    data: str = Field("", description="Where the data come from.")
    terms: str = Field("", description="Under which terms.")
    metric: str = Field("balanced_accuracy", description="What the published scores are.")
    published: list[Published] = Field([], description="Scores to compare with.")

    def column_of(self, name: str) -> str:
        """Column of the table of participants: `column`, or else the phenotype's own name."""
        return self.column or name

    def without_publication(self) -> Phenotype:
        """Drop what changes no split and no score: title, source, terms and published scores."""
        return self.model_copy(
            update={name: type(self).model_fields[name].default for name in PUBLICATION}
        )

    @field_validator("values", mode="before")
    @classmethod
    def _keys_as_text(cls, values: Any) -> Any:
        """Accept ``{1: patient}`` as YAML reads it."""
        return {str(k): v for k, v in values.items()} if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _fits(self) -> Phenotype:
        if self.bins and self.kind != "classification":
            raise ValueError("'bins' makes classes: it goes with `kind: classification`")
        if self.values and self.kind == "regression":
            raise ValueError("'values' names classes: it goes with `kind: classification`")
        if self.bins and self.values:
            raise ValueError("'bins' cuts numbers and 'values' names classes: say one of them")
        return self
