"""Settings of the stage `report`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from semantoks.config import Config, Report, Settings
from semantoks.report.redaction import redacted


class ReportSettings(Settings):
    """Settings that the report depends on."""

    version: Literal[17] = 17
    report: Report = Field(Report(), description="What the report shows of people.")
    config: Config = Field(description="The whole configuration, which the report quotes.")

    @field_validator("config")
    @classmethod
    def _without_free_texts(cls, config: Config, info: ValidationInfo) -> Config:
        """Redact it here: the page, its sidecar and Snakemake's record of the job quote this."""
        shown = info.data.get("report", Report())
        return config if shown.participants else redacted(config)
