"""Settings of the stage `network_importance`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import ColumnNames, ConfoundColumns, Content, Probe


class NetworkImportanceSettings(ConfoundColumns):
    """Settings that the importance of networks depends on."""

    version: Literal[2] = 2
    content: Content = Field("fc", description="Baseline or readout that the features are.")
    probe: Probe = Field(
        Probe(permutations=0, learning_curve=[]),
        description="Strengths, folds, confounds and harmonisation, as for the scores.",
    )
    column: ColumnNames | None = Field(None, description="Column of the phenotype.")
