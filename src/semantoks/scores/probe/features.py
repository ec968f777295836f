"""What a probe sees of people: features of one or several representations, split by split.

Whatever is fitted to people (the reference of tangent connectivity, a subspace, the influence of
confounds) is fitted to the training part of the split alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semantoks.artifacts.representations import People, read_people
from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.linear_models import Rotated, rotate, standardise
from semantoks.scores.represent.connectivity import PROJECTIONS


@dataclass(frozen=True)
class Features:
    """One representation of the people of a task, in the order of its splits.

    Attributes
    ----------
    values_PF : ndarray, shape (people, features)
    fitted : str
        Key of `PROJECTIONS`, or "" where nothing is fitted.
    confounds_PF : ndarray or None
        What is regressed out.
    """

    values_PF: np.ndarray
    fitted: str = ""
    confounds_PF: np.ndarray | None = None

    def parts(self, train: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features of the training and the held-out people, given as row numbers or masks."""
        rows = self.values_PF[train], self.values_PF[held]
        if self.fitted:
            rows = PROJECTIONS[self.fitted](*rows)
        if self.confounds_PF is not None:
            rows = _residuals(*rows, self.confounds_PF[train], self.confounds_PF[held])
        return rows

    def rotated(self, train: np.ndarray, held: np.ndarray) -> Rotated:
        """Rotate the training and held-out people onto the training part's principal axes."""
        return rotate(*self.parts(train, held))


def _residuals(
    train_PF: np.ndarray, held_HF: np.ndarray, train_PC: np.ndarray, held_HC: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Regress confounds out of features by least squares in the training part."""
    known = np.isfinite(train_PF)
    mean = np.where(known, train_PF, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    train = np.where(known, train_PF - mean, 0)
    held = np.where(np.isfinite(held_HF), held_HF - mean, 0)
    train_z, held_z = standardise(train_PC, held_HC)
    slopes = np.linalg.lstsq(train_z, train, rcond=1e-9)[0]
    return train - train_z @ slopes, held - held_z @ slopes


def without_target(
    people: People, phenotype: str, column: str | None = None, site_column: str | None = None
) -> People:
    """Drop the features that are the phenotype itself."""
    if not people.names:
        return people
    own = {phenotype.lower(), (column or phenotype).lower()}
    own |= {"site"} if own & {"site_id", (site_column or "site").lower()} else set()
    own |= {"age"} if "age_at_scan" in own else set()
    kept = [i for i, name in enumerate(people.names) if name.split("=")[0].lower() not in own]
    names = [people.names[i] for i in kept]
    return People(people.participant_id, people.features_PF[:, kept], names, people.fitted)


def align(
    people: People,
    ids: Sequence[str],
    phenotype: str,
    column: str | None = None,
    site_column: str | None = None,
) -> np.ndarray:
    """Rows of the people in `ids`, in that order, without the phenotype's own features."""
    row = {person: index for index, person in enumerate(people.participant_id)}
    absent = [person for person in ids if person not in row]
    if absent:
        raise UserError(
            f"{len(absent)} people of the splits are not in the representation ({absent[0]}, …). "
            "Make both from the same time series."
        )
    own = without_target(people, phenotype, column, site_column)
    features: np.ndarray = own.features_PF[[row[person] for person in ids]]
    return features


def load(
    files: Sequence[Path],
    confounds: Path | None,
    ids: Sequence[str],
    phenotype: str,
    column: str | None,
    settings: Probe,
    site_column: str | None = None,
) -> list[Features]:
    """Read the representations of the people in `ids`."""
    removed = None
    if settings.confounds == "residualise" and confounds is not None:
        removed = align(read_people(confounds), ids, phenotype, column, site_column)
    found = []
    for file in files:
        people = read_people(file)
        values = align(people, ids, phenotype, column, site_column)
        # Confounds are not cleaned of themselves, and chance has nothing to clean.
        cleaned = removed if values.shape[1] and not people.names else None
        found.append(Features(values, people.fitted, cleaned))
    return found
