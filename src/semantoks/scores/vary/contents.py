"""Contents of a comparison of variants, as stored in its JSON file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Settings
from semantoks.scores.benchmark.comparison import Comparison, Difference
from semantoks.scores.split.parts import Scheme

# Who is tested in a split of a variant: everybody of the main analysis, some of them, or others.
Tested = Literal["same", "common", "other"]


class FromMain(Settings):
    """How a row of a variant differs from the same row of the main analysis."""

    scheme: Scheme
    representation: str
    splits: int = Field(description="Number of splits that both have.")
    difference: Difference | None = Field(
        description="Variant less main analysis, of the first metric, over the same splits and "
        "test participants; None where there are none."
    )
    no_verdict: str | None = Field(None, description="Why there is no difference or no p.")


class Variant(Settings):
    """One variant of a phenotype."""

    name: str
    comparison: Comparison = Field(description="Its rows, compared with its own baseline.")
    tested: Tested = Field(description="Test participants beside those of the main analysis.")
    differences: list[FromMain] = Field(
        description="Absent are rows whose scores are those of the main analysis."
    )


class Varied(Settings):
    """A phenotype in the main analysis and in its variants."""

    main: Comparison
    variants: list[Variant]
