"""Phenotypes and tables of participants for tests of splits."""

from __future__ import annotations

from typing import Any

import pandas as pd

from semantoks.config import Phenotype

CLASSIFICATION, REGRESSION = Phenotype(kind="classification"), Phenotype(kind="regression")


def participants_table(target: list[Any], **columns: list[Any]) -> pd.DataFrame:
    """A target per participant; without site and group unless they are given."""
    index = [f"sub-{i:03d}" for i in range(len(target))]
    table = pd.DataFrame({"target": target, "site": None, "group": None}, index, dtype=object)
    return table.assign(**columns)
