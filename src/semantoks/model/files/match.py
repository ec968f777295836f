"""Do these time series fit that model? Asked by name, never assumed."""

from __future__ import annotations

from collections.abc import Sequence

from semantoks.artifacts.timeseries import Manifest
from semantoks.errors import UserError


def require_match(
    expected: Manifest, found: Manifest, where: str, allow: Sequence[str] = ()
) -> None:
    """Refuse time series that differ from what is expected.

    Parameters
    ----------
    expected, found : Manifest
        What the model was (or is being) trained on, and what is given.
    where : str
        What is given, for the message.
    allow : sequence of str
        Fields that may differ.

    Raises
    ------
    UserError
        Naming every field that differs, with both values.
    """
    unknown = set(allow) - set(Manifest.model_fields)
    if unknown:
        raise UserError(
            f"allow_mismatch names {', '.join(sorted(unknown))}; a manifest has the fields "
            f"{', '.join(Manifest.model_fields)}."
        )
    # A file without a single scan has no space, and nothing that could be in a wrong one.
    skipped = {*allow, "space"} if not (found.space and expected.space) else set(allow)
    differing = [
        _difference(field, getattr(expected, field), getattr(found, field))
        for field in Manifest.model_fields
        if field not in skipped and getattr(expected, field) != getattr(found, field)
    ]
    if differing:
        raise UserError(
            f"{where} does not fit the model: {'; '.join(differing)}. Make the time series with "
            "the model's settings, or list the fields that may differ in allow_mismatch."
        )


def _difference(field: str, expected: object, found: object) -> str:
    if not (isinstance(expected, tuple) and isinstance(found, tuple)):
        return f"{field} is {found}, expected {expected}"
    if len(expected) != len(found):
        return f"{field} has {len(found)} entries, expected {len(expected)}"
    place = next(
        i for i, pair in enumerate(zip(expected, found, strict=True)) if len(set(pair)) > 1
    )
    return f"{field}[{place}] is {found[place]}, expected {expected[place]}"
