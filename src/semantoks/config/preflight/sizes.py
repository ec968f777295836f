"""Whether the people of a table are enough for training and test parts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from semantoks.config import Config, Phenotype
from semantoks.errors import UserError
from semantoks.people.read import as_number


def class_name(cell: str) -> str:
    """Write 1.0 as 1, as the stages name classes."""
    number = as_number(cell)
    return str(int(number)) if number is not None and number.is_integer() else cell


def require_sizes(where: str, phenotype: Phenotype, cells: Sequence[str], config: Config) -> None:
    """Check that the parts fit the people, and the classes the parts and their inner folds.

    Parameters
    ----------
    where : str
        Key of the phenotype, for messages.
    phenotype : Phenotype
    cells : sequence of str
        Values of the people who are included.
    config : Config

    Raises
    ------
    UserError
    """
    if phenotype.splits_file:
        return
    named, names = phenotype.has_named_classes, phenotype.values
    if named:
        classes = [class_name(cell) for cell in cells]
        cells = [names[c] for c in classes if c in names] if names else classes
    train, test = _part_sizes(len(cells), phenotype, config)
    if train < 1 or train + test > len(cells):
        raise UserError(
            f"{where}: {len(cells)} participants of the table have a value, which is too few for "
            f"{train} in training and {test} in the test part. Change train_people, "
            "validation_people and test_people of the phenotype, or splits.test_fraction."
        )
    folds = config.probe.inner_folds if config.probe.protocol == "exact" else 1
    fraction = config.splits.test_fraction
    needed = math.ceil(1 / min(fraction, 1 - fraction))  # to be in every test part
    for group, count in (Counter(cells) if named else {}).items():
        in_training = math.ceil(count * train / len(cells))
        if count < needed:
            raise UserError(
                f"{where}: class '{group}' has {count} participants in the table, but at least "
                f"{needed} are needed to have one in every test part (splits.test_fraction: "
                f"{fraction:g}). Merge classes by `values`, or remove the phenotype."
            )
        if in_training < folds:
            raise UserError(
                f"{where}: class '{group}' has {count} participants in the table and so "
                f"{in_training} in a training part, but at least {folds} are needed there "
                "(probe.inner_folds). Merge classes by `values`, lower probe.inner_folds, or "
                "remove the phenotype."
            )
    if not named and train < 2 * folds:
        raise UserError(
            f"{where}: a training part has {train} participants, but at least {2 * folds} are "
            f"needed for probe.inner_folds: {folds}. Lower it, or remove the phenotype."
        )


def _part_sizes(people: int, phenotype: Phenotype, config: Config) -> tuple[int, int]:
    """Participants in training (with those of validation, which train too) and in the test part."""
    splits = config.splits
    test = phenotype.test_people or math.ceil(people * splits.test_fraction)
    validation = phenotype.validation_people
    if validation is None:
        validation = round(people * splits.validation_fraction)
    train = phenotype.train_people or people - test - validation
    return train + validation, test
