"""Contents of a card, as stored in its JSON file."""

from __future__ import annotations

from pydantic import Field

from semantoks.config import Settings


class Leakage(Settings):
    """How well one covariate is predicted from the representation."""

    what: str = Field(description="Name of the covariate.")
    metric: str = Field(description="`balanced_accuracy` or `pearson_r`.")
    people: int = Field(description="Participants with a known value.")
    chance: float = Field(description="Score of a representation without information.")
    mean: float = Field(description="Mean over splits.")
    sd: float = Field(description="Standard deviation over splits.")
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")


class Retest(Settings):
    """Test-retest reliability over two sessions."""

    people: int = Field(description="Participants with two sessions.")
    identification: float = Field(description="Share of sessions matched to their participant.")
    chance: float = Field(description="Identification of a representation without information.")
    icc: float = Field(description="Median over features of ICC(3,1).")


class BlockCard(Settings):
    """What a representation, or one block of it, holds of one data set."""

    leakage: list[Leakage]
    harmonized: list[Leakage] = Field(
        [],
        exclude_if=lambda value: not value,
        description="Leakage of the same features with sites harmonised by ComBat inside the "
        "training part; absent unless asked for.",
    )
    retest: Retest | None = Field(
        description="None with fewer than three participants to compare, or without a feature that "
        "all of their sessions have."
    )
    people_without_features: int | None = Field(
        None,
        exclude_if=lambda value: value is None,
        description="Participants who are left out of `leakage`; absent if there are none.",
    )


class Card(BlockCard):
    """The card of one representation of one data set."""

    blocks: dict[str, BlockCard] = Field(
        {},
        exclude_if=lambda value: not value,
        description="The same of each block by itself; absent if there is one block.",
    )
