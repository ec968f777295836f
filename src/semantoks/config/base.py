"""What every group of settings is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of every configuration model: frozen, and a typo is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
