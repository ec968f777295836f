"""Settings of the stage `report`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Config, Report, Settings


class ReportSettings(Settings):
    """Settings that the report depends on."""

    version: Literal[9] = 9
    report: Report = Field(Report(), description="What the report shows of people.")
    config: Config = Field(description="The whole configuration, which the report quotes.")
