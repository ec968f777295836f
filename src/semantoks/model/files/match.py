"""Whether time series fit a model, compared field by field of their manifests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from semantoks.artifacts.timeseries import Manifest
from semantoks.errors import UserError


class Described(Protocol):
    """An encoder, or its description without the weights."""

    @property
    def manifest(self) -> Manifest | None:
        """Of the time series that it was trained on; None if they are not known."""

    @property
    def networks(self) -> tuple[str, ...]:
        """Network of each region."""


def require_fit(
    encoder: Described, manifest: Manifest, source: str, allow_mismatch: Sequence[str] = ()
) -> None:
    """Raise unless time series are of the kind that the encoder was trained on.

    Parameters
    ----------
    encoder : Encoder, or its description
    manifest : Manifest
        Of the time series.
    source : str
        File or description of the time series, for the message.
    allow_mismatch : sequence of str
        Fields that may differ.

    Raises
    ------
    UserError
        If the manifests differ in other fields; the message names them.
    """
    # A reference checkpoint has no manifest, only the network of each region.
    expected = encoder.manifest or manifest.model_copy(update={"networks": encoder.networks})
    require_match(expected, manifest, source, allow_mismatch)


def require_match(
    expected: Manifest, actual: Manifest, source: str, allow_mismatch: Sequence[str] = ()
) -> None:
    """Raise if two manifests differ.

    Parameters
    ----------
    expected, actual : Manifest
        Of the model's training data, and of the given time series.
    source : str
        File or description of the time series, for the message.
    allow_mismatch : sequence of str
        Fields that may differ.

    Raises
    ------
    UserError
        If they differ in other fields; the message names them with both values.
    """
    unknown = set(allow_mismatch) - set(Manifest.model_fields)
    if unknown:
        raise UserError(
            f"allow_mismatch names {', '.join(sorted(unknown))}; a manifest has the fields "
            f"{', '.join(Manifest.model_fields)}."
        )
    ignored = set(allow_mismatch)
    # A file in which every scan was excluded has no space.
    if not (actual.space and expected.space):
        ignored.add("space")
    differences = [
        _difference(field, getattr(expected, field), getattr(actual, field))
        for field in Manifest.model_fields
        if field not in ignored and getattr(expected, field) != getattr(actual, field)
    ]
    if differences:
        raise UserError(
            f"{source} does not fit the model: {'; '.join(differences)}. Make the time series with "
            "the model's settings, or list the fields that may differ under allow_mismatch."
        )


def _difference(field: str, expected: object, actual: object) -> str:
    """Describe a difference; of labels and networks only the first entry that differs."""
    if not (isinstance(expected, tuple) and isinstance(actual, tuple)):
        return f"{field} is {actual}, expected {expected}"
    if len(expected) != len(actual):
        return f"{field} has {len(actual)} entries, expected {len(expected)}"
    pairs = enumerate(zip(expected, actual, strict=True))
    index = next(i for i, (wanted, given) in pairs if wanted != given)
    return f"{field}[{index}] is {actual[index]}, expected {expected[index]}"
