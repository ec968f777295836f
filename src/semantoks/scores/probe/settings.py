"""Settings of the `probe` rule."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from semantoks.config import ColumnNames, ConfoundColumns, Probe
from semantoks.scores.target_features import target_features


class ProbeSettings(ConfoundColumns):
    """Settings that the scores of a representation depend on."""

    version: Literal[9] = 9
    probe: Probe = Field(Probe(), description="Protocol, strengths, permutations and confounds.")
    columns: dict[str, ColumnNames | None] = Field(
        {}, description="Column of each phenotype; features of this name are dropped."
    )
    combined: bool = Field(
        False, description="Sum the kernels of several representations instead of stacking them."
    )

    @field_validator("probe")
    @classmethod
    def _one_protocol(cls, probe: Probe) -> Probe:
        if probe.protocol == "both":
            raise ValueError("a row is scored by one protocol; give `exact` or `paper`")
        return probe

    def targets_among_features(self, phenotype: str) -> set[str]:
        """Lower-case names of features that are a phenotype itself; see `target_features`."""
        return target_features(phenotype, self.columns.get(phenotype), self.confound_columns())
