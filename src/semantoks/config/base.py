"""Base class of all settings."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Frozen settings in which an unknown key is an error."""

    # By default pydantic ignores unknown keys: a misspelt one would leave its default in place.
    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def part_of(cls, whole: BaseModel) -> Self:
        """Take the fields of this class from settings that have more of them."""
        return cls.model_validate({name: getattr(whole, name) for name in cls.model_fields})
