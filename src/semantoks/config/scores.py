"""How representations are scored, and what the report shows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from semantoks.config.base import Settings

Strength = Annotated[float, Field(gt=0, allow_inf_nan=False)]


Fraction = Annotated[float, Field(gt=0, lt=1)]
Baseline = Literal["fc", "fc_gsr", "tangent", "partial", "coskewness", "confounds"]


class Splitting(Settings):
    """Who is trained on and who is tested on."""

    test_fraction: Fraction = Field(0.2, description="Part of the people tested on.")
    validation_fraction: Fraction = Field(
        0.2, description="Part of the people that `probe.protocol: paper` chooses its rate by."
    )
    seed: int = Field(0, ge=0, description="Seed of the splits.")
    match: list[str] = Field(
        [],
        description="Columns that the two classes are matched on, one person to the nearest of "
        "the other class; a column of words must agree exactly.",
    )

    @model_validator(mode="after")
    def _leaves_somebody(self) -> Splitting:
        if self.test_fraction + self.validation_fraction >= 1:
            raise ValueError("test_fraction and validation_fraction leave nobody to train on")
        return self


class Probe(Settings):
    """How representations are scored against phenotypes."""

    protocol: Literal["exact", "paper"] = Field(
        "exact",
        description="`exact`: L2 logistic or ridge regression on one row per person, solved "
        "exactly; `paper`: an SGD head on windows, as in arXiv 2512.11582.",
    )
    repeats: int = Field(10, ge=1, le=100, description="How many of the 100 splits are scored.")
    inner_folds: int = Field(5, ge=2, description="Folds inside the training part.")
    strengths: list[Strength] = Field(
        [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2],
        min_length=1,
        description="L2 strengths to choose from, relative to rows of unit length.",
    )
    confounds: Literal["none", "residualise"] = Field(
        "none",
        description="`residualise`: regress age, sex, site, motion and scan length out of the "
        "features, fitted on the training part.",
    )
    permutations: int = Field(
        1000, ge=0, description="Permutations of the phenotype for the p-value."
    )
    learning_curve: list[Fraction] = Field(
        [0.1, 0.25, 0.5], description="Parts of the training people to train on as well."
    )


class CardProbe(Settings):
    """What the card of a representation takes from `Probe`."""

    inner_folds: int = Probe.model_fields["inner_folds"].default
    strengths: list[Strength] = Probe.model_fields["strengths"].default


class Report(Settings):
    """What the report shows."""

    participants: bool = Field(
        False,
        description="Name excluded scans, and tell exact numbers of people, instead of numbers "
        "rounded to fives and no group of fewer: only for a report that stays with those who may "
        "see the data.",
    )
