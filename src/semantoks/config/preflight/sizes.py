"""Whether the people of a table are enough for training and test parts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from semantoks.config import Config, Phenotype, Protocol
from semantoks.errors import UserError
from semantoks.people.intervals import interval_name, interval_names
from semantoks.people.read import as_number, read_text_table

MOST_CLASSES = 10  # more, all of them numbers, are rather a measure

ID = "participant_id"  # of a file of splits


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
        if phenotype.kind == "classification":
            _require_validation(where, Path(phenotype.splits_file), config.probe.protocol)
        return
    named = phenotype.has_named_classes or bool(phenotype.edges)
    cells = _classes(where, phenotype, cells)
    smallest = _smallest_class(cells, phenotype)
    train, test = _part_sizes(len(cells), smallest, phenotype, config)
    if train < 1 or train + test > len(cells):
        raise UserError(
            f"{where}: {len(cells)} participants of the table have a value, which is too few for "
            f"{train} in training and {test} in the test part. Change train_people, "
            "validation_people and test_people of the phenotype, or splits.test_fraction."
        )
    folds = config.probe.inner_folds if config.probe.protocol != "paper" else 1
    fraction = config.splits.test_fraction
    needed = math.ceil(1 / min(fraction, 1 - fraction))  # to be in every test part
    merge = "Change `edges`" if phenotype.edges else "Merge classes by `values`"
    if (
        not phenotype.edges
        and len(set(cells)) > MOST_CLASSES
        and not any(as_number(cell) is None for cell in cells)
    ):
        merge = "Set `kind: regression` if these are measures, merge classes by `values`"
    for group, count in (Counter(cells) if named else {}).items():
        in_training = math.ceil(count * train / len(cells))
        if count < needed:
            raise UserError(
                f"{where}: class '{group}' has {count} participants in the table, but at least "
                f"{needed} are needed to have one in every test part (splits.test_fraction: "
                f"{fraction:g}). {merge}, or remove the phenotype."
            )
        if in_training < folds:
            raise UserError(
                f"{where}: class '{group}' has {count} participants in the table and so "
                f"{in_training} in a training part, but at least {folds} are needed there "
                f"(probe.inner_folds). {merge}, lower probe.inner_folds, or remove the phenotype."
            )
    if not named and train < 2 * folds:
        raise UserError(
            f"{where}: a training part has {train} participants, but at least {2 * folds} are "
            f"needed for probe.inner_folds: {folds}. Lower it, or remove the phenotype."
        )


def _require_validation(where: str, file: Path, protocol: Protocol) -> None:
    """Check that fixed splits have the validation participants that the paper's head needs."""
    if protocol == "exact" or not file.is_file():
        return
    splits = {name: c for name, c in read_text_table(file).columns.items() if name != ID}
    without = [name for name, cells in splits.items() if "validation" not in cells]
    # Alone, the paper's protocol scores the splits that have some; rows of both have all splits.
    if without and (protocol == "both" or len(without) == len(splits)):
        raise UserError(
            f"{where}: split '{without[0]}' of {file.name} has no validation participants, on whom "
            f"the paper's head (probe.protocol: {protocol}) chooses its learning rate. Add some, "
            "or leave `protocol: exact`."
        )


def _classes(where: str, phenotype: Phenotype, cells: Sequence[str]) -> Sequence[str]:
    """Name the classes of cells as the stages do; numbers that have no fixed edges stay."""
    if phenotype.has_named_classes:
        names, classes = phenotype.values, [class_name(cell) for cell in cells]
        return [names[c] for c in classes if c in names] if names else classes
    edges = phenotype.edges
    if not edges:
        return cells
    numbers = [number for cell in cells if (number := as_number(cell)) is not None]
    classes = [interval_name(number, edges) for number in numbers]
    empty = [name for name in interval_names(edges) if name not in set(classes)]
    if empty and numbers:
        raise UserError(
            f"{where}: no participant of the table is in the class '{empty[0]}' of `edges`; values "
            f"range from {min(numbers):g} to {max(numbers):g}. Change the edges."
        )
    return classes


def _smallest_class(classes: Sequence[str], phenotype: Phenotype) -> int | None:
    """Count the participants of the smallest class; None if a number is predicted."""
    if phenotype.kind == "regression":
        return None
    if phenotype.bins:
        return len(classes) // phenotype.bins
    return min(Counter(classes).values(), default=0)


def _part_sizes(
    people: int, smallest_class: int | None, phenotype: Phenotype, config: Config
) -> tuple[int, int]:
    """Participants in training (with those of validation, which train too) and in the test part."""
    splits = config.splits
    test = phenotype.test_people or splits.test_people(people, smallest_class)
    validation = phenotype.validation_people
    if validation is None:
        validation = round(people * splits.validation_fraction)
    train = phenotype.train_people or people - test - validation
    return train + validation, test
