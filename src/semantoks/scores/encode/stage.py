"""Write a representation by an encoder that another package offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semantoks.artifacts.excerpts import first_seconds
from semantoks.artifacts.representations import write_representation
from semantoks.artifacts.timeseries import (
    Manifest,
    Scan,
    iter_scans,
    read_manifest,
    require_included,
)
from semantoks.config.encoders import find_encoder, package_of
from semantoks.errors import UserError, shown
from semantoks.scores.encode.settings import EncodeSettings

Encoder = Callable[[np.ndarray], Any]  # what it returns is checked


def encode(settings: EncodeSettings, *, timeseries: Sequence[Path], out: Path) -> list[Path]:
    """Write one vector per included scan, as an encoder of another package makes it.

    The entry point is a function that gets the `Manifest` of the time series (regions, networks,
    TR) once and returns the encoder; the encoder gets the time series of one scan, float32 of shape
    (regions, volumes), z-scored, NaN for a region without data, and returns its vector.

    Parameters
    ----------
    settings : EncodeSettings
    timeseries : sequence of Path
        Shards of regional time series.
    out : Path

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        If the encoder is not installed, is of another version than planned, fails, or returns
        something else than one vector of finite numbers or NaN, equally long for every scan; or if
        every scan is excluded.
    """
    scans = require_included(timeseries, "encode")
    encoder = _open(settings, read_manifest(timeseries[0]))
    used = first_seconds(iter_scans(timeseries), settings.seconds)
    write_representation(out, scans, _rows(settings.encoder, encoder, used))
    return [out]


def _open(settings: EncodeSettings, manifest: Manifest) -> Encoder:
    """Import the package of an encoder and make the encoder."""
    entry, name = find_encoder(settings.encoder), settings.encoder
    if settings.package and package_of(entry) != settings.package:
        raise UserError(
            f"The encoder {name} is of {package_of(entry)} here, but the run was planned with "
            f"{settings.package}. Install that version, or plan the run where this one is."
        )
    try:
        encoder: Encoder = entry.load()(manifest)
    except UserError:
        raise
    except Exception as error:  # whatever the code of others raises
        raise _failure(name, "could not be opened", error) from error
    return encoder


def _rows(name: str, encoder: Encoder, scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Encode scan by scan, and refuse what cannot be a representation."""
    size = None
    for scan in scans:
        try:
            # A copy, so that an encoder may work in place.
            row = np.asarray(encoder(scan.timeseries_CT.copy()), np.float32)
        except UserError:
            raise
        except Exception as error:
            raise _failure(name, f"failed on {scan.scan}", error) from error
        if row.ndim != 1 or row.size == 0 or size not in (None, row.size):
            raise UserError(
                f"The encoder {name} returned the shape {row.shape} for {scan.scan}, expected one "
                f"vector{f' of {size} numbers, as for the scans before' if size else ''}. Correct "
                "the encoder."
            )
        size = row.size
        if np.isinf(row).any():
            raise UserError(
                f"The encoder {name} returned an infinite number for {scan.scan}. Correct it, or "
                "return NaN for what is not known."
            )
        yield row


def _failure(name: str, what: str, error: Exception) -> UserError:
    reason = f"{type(error).__name__}: {shown(str(error), 200)}"
    return UserError(f"The encoder {name} {what} ({reason}). Correct it, or its package.")
