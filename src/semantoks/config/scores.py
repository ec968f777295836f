"""How representations are scored, and what the report shows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from semantoks.config.base import Settings
from semantoks.config.phenotypes import ColumnNames
from semantoks.config.readouts import OF_ENCODER
from semantoks.config.scaling import split_fraction

Strength = Annotated[float, Field(gt=0, allow_inf_nan=False)]


Seconds = Annotated[float, Field(gt=0, le=86400)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Baseline = Literal[
    "fc",
    "fc_gsr",
    "tangent",
    "tangent_gsr",
    "tangent_rbf",
    "partial",
    "coskewness",
    "mean_activity",
    "confounds",
]
Protocol = Literal["exact", "paper", "both"]
# By which a row is scored; a comparison may have rows of several.
RowProtocol = Literal["exact", "paper", "finetune"]
# Test participants of a split: r of fewer hardly depends on the prediction.
MIN_TESTED = 10
# Participants of each class whom a larger test part has to leave for training.
MIN_TRAINED = 5
# Names a row that the paper's head has scored, beside the row of the exact probe.
PAPER_SUFFIX = "@paper"
# Names the row that takes the best of these, chosen inside the training part.
BEST_CONNECTIVITY = "best_connectivity"
CONNECTIVITY = ("fc", "fc_gsr", "tangent", "tangent_gsr", "partial", "coskewness")
# Fitted to the training participants of a split, by the exact protocol only.
FITTED = ("tangent", "tangent_gsr", "tangent_rbf", "coskewness")
# Do not depend on the volumes of a scan, or are zero over whole ones.
WITHOUT_LENGTH = ("chance", "confounds", "mean_activity")
MIN_VOLUMES = 4  # with fewer, nothing is left of a correlation without the global signal


def split_row(row: str) -> tuple[str, float | None]:
    """Split the name of a row into its representation and the seconds of each scan that it is of.

    ``fc@60s`` is of the first 60 seconds; of other rows the seconds are None.
    """
    match = re.fullmatch(r"(.+)@([\d.]+)s", row)
    return (row, None) if match is None else (match[1], float(match[2]))


def row_of_seconds(representation: str, seconds: float | None) -> str:
    """Name a representation of the first seconds of each scan; the same if it is of whole ones."""
    is_whole = seconds is None or representation in WITHOUT_LENGTH
    return representation if is_whole else f"{representation}@{seconds:.10g}s"


def is_of_whole_scans(representation: str) -> bool:
    """Whether the name is that of a readout of a model that has no windows."""
    # Names of models have no dash; see the names of representations in workflow/rules/common.smk.
    _, dash, readout = representation.partition("-")
    return bool(dash) and readout not in OF_ENCODER


class Splitting(Settings):
    """How participants are split into training, validation and test."""

    test_fraction: Fraction = Field(
        0.2,
        description="Fraction of test participants. Of 20 or more at least 10 are tested, because "
        "scores of fewer say little; with classes only if 5 of each are left to train on.",
    )
    validation_fraction: Fraction = Field(
        0.2,
        description="Fraction of validation participants, on whom the paper's head chooses its "
        "learning rate (`probe.protocol: paper` or `both`); they train the exact probe.",
    )
    seed: int = Field(0, ge=0, description="Seed of the splits.")
    shared: bool = Field(
        False,
        description="Draw the random splits of a data set once, among all participants with a "
        "usable scan, and not stratified. Each phenotype takes its participants in them, and one "
        "job per row scores all phenotypes: features are read once, and decomposed once for "
        "phenotypes of the same participants. For many phenotypes of many people. A phenotype with "
        "a `splits_file`, or with sizes of its own, keeps its own splits.",
    )
    match: list[ColumnNames] = Field(
        [],
        description="Columns on which participants of two classes are matched in pairs; columns "
        "of text, site and sex must be equal. A list in the list has names of one column, of which "
        "the first that the table has is used.",
    )

    @model_validator(mode="after")
    def _leaves_somebody(self) -> Splitting:
        if self.test_fraction + self.validation_fraction >= 1:
            raise ValueError("test_fraction and validation_fraction leave no training participants")
        return self

    def test_people(self, people: int, smallest_class: int | None = None, blocks: int = 1) -> int:
        """Return how many participants are in a test part.

        Parameters
        ----------
        people : int
            With a value of the phenotype.
        smallest_class : int, optional
            How many of them are in the smallest class, if classes are predicted.
        blocks : int
            Of each participant.
        """
        test, needed = math.ceil(people * self.test_fraction), math.ceil(MIN_TESTED / blocks)
        if test >= needed or people < 2 * needed:
            return test
        trained = None if smallest_class is None else smallest_class * (people - needed) // people
        return test if trained is not None and trained < MIN_TRAINED else needed


class Probe(Settings):
    """How representations are scored."""

    protocol: Protocol = Field(
        "exact",
        description="`exact`: L2-regularised logistic or ridge regression on one row per "
        "participant, solved exactly; `paper`: an SGD head on windows, as in arXiv 2512.11582; "
        "`both`: `exact`, and beside it the paper's head over the same splits for every "
        "representation that it can score, if the phenotype has classes.",
    )
    repeats: int = Field(
        10, ge=1, le=100, description="Number of splits that are scored, of 100 that are drawn."
    )
    inner_folds: int = Field(
        5, ge=2, description="Cross-validation folds within the training participants."
    )
    strengths: list[Strength] = Field(
        [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2],
        min_length=1,
        description="L2 strengths to choose from, relative to rows of unit norm.",
    )
    confounds: Literal["none", "residualise"] = Field(
        "none",
        description="`residualise`: regress age, sex, site, motion and scan length out of the "
        "features, fitted to the training participants.",
    )
    harmonize: Literal["none", "combat"] = Field(
        "none",
        description="`combat`: remove location and scale of each site (`site_column`) from the "
        "features by ComBat, fitted to the training participants. Sites with fewer than two of "
        "them stay as they are.",
    )
    permutations: int = Field(
        1000, ge=0, description="Permutations of the phenotype for the p-value."
    )
    learning_curve: list[Fraction] = Field(
        [0.1, 0.25, 0.5], description="Fractions of the training participants for learning curves."
    )
    seconds: list[Seconds] = Field(
        [],
        description="Lengths in seconds, such as `[60, 120]`: every representation is also made of "
        "the first so many seconds of each scan and scored over the same splits, for a curve of "
        "the score against the length of scans. Not of data sets with `events`.",
    )

    @field_validator("seconds")
    @classmethod
    def _in_order(cls, seconds: list[float]) -> list[float]:
        return sorted(set(seconds))

    def of_row(self, row: str) -> Probe:
        """Return the settings of one row, which is scored by one protocol.

        A row of the first seconds of each scan has these `seconds`, and no others have any. It is a
        point of a curve, so it needs no permutations and no fractions of the training part, as does
        a row of a model that was pretrained on a part of the people.
        """
        _, seconds = split_row(row)
        changes: dict[str, object] = {"seconds": []}
        if split_fraction(row)[1] < 1:
            changes |= {"permutations": 0, "learning_curve": []}
        if seconds is not None:
            changes = {"seconds": [seconds], "permutations": 0, "learning_curve": []}
        if self.protocol == "both":
            changes["protocol"] = "paper" if row.endswith(PAPER_SUFFIX) else "exact"
        return self.model_copy(update=changes)

    def of_importance(self) -> Probe:
        """Return what the importance of networks depends on: the exact fits of whole scans."""
        changes = {"protocol": "exact", "permutations": 0, "learning_curve": [], "seconds": []}
        return self.model_copy(update=changes)

    def rows_of_seconds(self, representations: Sequence[str]) -> list[str]:
        """Names of the rows of the first seconds of each scan, such as ``fc@60s``."""
        names = [name for name in representations if name not in WITHOUT_LENGTH]
        return [row_of_seconds(name, seconds) for name in names for seconds in self.seconds]

    def rows_by_paper(self, representations: Sequence[str], kind: str) -> list[str]:
        """Names of the rows that the paper's head adds under `both`.

        Parameters
        ----------
        representations : sequence of str
            Without stacked ones.
        kind : str
            Of the phenotype: the head predicts classes.

        Returns
        -------
        list of str
            Of representations whose windows can be scored as they are. Chance has none, nor have
            readouts that are of a whole scan.
        """
        if self.protocol != "both" or kind != "classification":
            return []
        scored = [
            name
            for name in representations
            if name not in (*FITTED, "chance") and not is_of_whole_scans(name)
        ]
        return [f"{name}{PAPER_SUFFIX}" for name in scored]


def connectivity_candidates(baselines: Sequence[str], protocol: Protocol) -> list[str]:
    """Names of the baselines that `BEST_CONNECTIVITY` chooses among.

    Empty with fewer than two, and by the paper's head, which has no inner folds to choose by.
    """
    names = [name for name in CONNECTIVITY if name in baselines]
    return names if len(names) > 1 and protocol != "paper" else []


class CardProbe(Settings):
    """What the card of a representation takes from `Probe`."""

    inner_folds: int = Probe.model_fields["inner_folds"].default
    strengths: list[Strength] = Probe.model_fields["strengths"].default


class Report(Settings):
    """What the report shows."""

    participants: bool = Field(
        False,
        description="Name excluded scans, show exact numbers of participants, and quote the "
        "configuration in full. Otherwise numbers are rounded to multiples of 5, smaller groups, "
        "paths and other free texts are not shown, so that the report can be shared with people "
        "who may not see the data (docs/methods.md).",
    )
