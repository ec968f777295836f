"""Contents of the curves of a phenotype, as stored in their JSON file."""

from __future__ import annotations

from pydantic import Field

from semantoks.config import Settings


class ScalingPoint(Settings):
    """Score at a number of pretraining people, with its 95 % interval over splits."""

    people: float
    mean: float
    low: float
    high: float


class Gain(Settings):
    """What a score gains for each factor of ten of people, by the fit."""

    mean: float
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")
    p: float = Field(description="Two-sided, of no gain.")


class ScalingCurve(Settings):
    """Scores of one representation."""

    points: list[ScalingPoint] = Field(description="Measured, from the fewest people.")
    splits: int = Field(description="Number of splits.")
    gain: Gain
    misfit: float = Field(description="Root mean square of the distances from the fit.")
    fitted: list[ScalingPoint] = Field(
        description="Of the fit by the logarithm of people; those beyond the last measured number "
        "are an extrapolation."
    )


class ScalingCurves(Settings):
    """Curves of all representations of a phenotype."""

    dataset: str
    phenotype: str
    metric: str
    scheme: str
    test_people: float = Field(description="Mean number of test participants.")
    curves: dict[str, ScalingCurve] = Field(description="By representation.")
