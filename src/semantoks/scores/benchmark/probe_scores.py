"""What the stage `probe` wrote for one representation, as a comparison needs it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from semantoks.config import Cut, Kind, Protocol, RowProtocol
from semantoks.scores.benchmark.shuffles import WHOLE_GROUPS
from semantoks.scores.metrics import CLASSIFICATION, REGRESSION
from semantoks.scores.probe.exchange import How


@dataclass(frozen=True)
class Task:
    """What was predicted, and how; the same for all representations of a comparison.

    Attributes are those of `Comparison`.
    """

    phenotype: str
    kind: Kind
    bins: int | None
    people: int
    classes: dict[str, int] | None
    left_out: dict[str, int]
    protocol: Protocol | RowProtocol
    confounds: str
    determined_by: list[str] = field(default_factory=list)
    cut: Cut = "training"
    edges: list[float] | None = None
    persons: int | None = None
    permuted: How = "participants"

    @property
    def needs_shuffles(self) -> bool:
        """Whether the corrected t is too narrow for random splits, so that shuffles are needed."""
        return self.kind == "regression" or self.permuted in WHOLE_GROUPS

    @property
    def is_finetuned(self) -> bool:
        """Whether the row is of a model that was fine-tuned, on fewer splits than the others."""
        return self.protocol == "finetune"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of this kind of task; representations are compared by the first."""
        return CLASSIFICATION if self.kind == "classification" else REGRESSION


@dataclass(frozen=True)
class ProbeScores:
    """What the stage `probe` wrote for one representation.

    Attributes
    ----------
    task : Task
    representation : str
    features : int
        Number of features.
    p_permutation : float or None
        None if no permutation test was made.
    shuffled : list of float or None
        Mean of the primary metric for each permutation of the phenotype, the same permutations for
        all representations; None where there were none.
    rows : DataFrame
        One row per fit.
    people_without_features : int
        Number of participants of whom the representation knows nothing.
    """

    task: Task
    representation: str
    features: int
    p_permutation: float | None
    shuffled: list[float] | None
    rows: pd.DataFrame
    people_without_features: int = 0

    def complete_fits(self, scheme: str) -> pd.DataFrame:
        """Return the fits of a scheme with the whole training part, one row per split."""
        of_scheme = (self.rows["scheme"] == scheme) & (self.rows["fraction"] == 1)
        return self.rows[of_scheme].reset_index(drop=True)
