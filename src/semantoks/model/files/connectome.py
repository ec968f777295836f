"""The file of what a model knows of connectivity: ``connectome.safetensors``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from scipy.linalg import hadamard

from semantoks import __version__
from semantoks.artifacts.timeseries import Manifest
from semantoks.connectivity.reference import Estimator, Reference
from semantoks.errors import UserError
from semantoks.model.files.tensors import write_tensors
from semantoks.model.files.weights import damaged, first_line, require_safetensors

# Safetensors writes several keys of metadata in any order; one key gives the same bytes always.
_KEY = "connectome"


@dataclass(frozen=True)
class DistilledMap:
    """Linear map from a tangent vector, after regression of the global signal, to components.

    Attributes
    ----------
    mean_F : ndarray of float32, shape (regions · (regions + 1) / 2,)
        Of the tangent vectors that it was fitted to.
    weights_FK : ndarray of float32, shape (regions · (regions + 1) / 2, components)
    """

    mean_F: np.ndarray
    weights_FK: np.ndarray

    @property
    def features(self) -> int:
        """Number of features: the next power of two of the number of components."""
        return int(self._spread.shape[1])

    def __call__(self, tangent_F: np.ndarray) -> np.ndarray:
        """Return the components of a tangent vector, spread evenly over all features, float32.

        How large components are says how well they are predicted, and a probe that z-scores
        features would undo it: in ABIDE, this costs all that the map gains. Rows of a Hadamard
        matrix mix each component into all features to the same degree, so that these vary alike,
        and leave the products of scans as they are.
        """
        components_K = (tangent_F - self.mean_F).astype(np.float32) @ self.weights_FK
        return np.asarray(components_K @ self._spread)

    @cached_property
    def _spread(self) -> np.ndarray:
        components = self.weights_FK.shape[1]
        size = 1 << (components - 1).bit_length()
        return np.asarray(hadamard(size)[:components] / np.sqrt(size), np.float32)


class Summary(BaseModel):
    """What a connectome was made from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scans: int = Field(description="Scans of the reference covariances.")
    people: int = Field(description="People who have these scans.")
    scans_of_map: int = Field(0, description="Scans of whose halves the map was fitted.")
    penalty: float = Field(0.0, description="Of the map, relative to the mean squared norm.")


class _Description(BaseModel):
    """Metadata of the file."""

    model_config = ConfigDict(extra="forbid")

    semantoks: str
    manifest: Manifest
    shrinkage: float = Field(ge=0, le=1)
    shrinkage_gsr: float = Field(ge=0, le=1)
    summary: Summary


@dataclass(frozen=True)
class Connectome:
    """What a model knows of connectivity.

    Attributes
    ----------
    manifest : Manifest
        Of the time series that it was made from.
    plain, without_global_signal : Reference
        Mean covariances.
    distilled : DistilledMap or None
        None for a model that is not trained, or if too few scans were long enough.
    summary : Summary
    """

    manifest: Manifest
    plain: Reference
    without_global_signal: Reference
    distilled: DistilledMap | None
    summary: Summary


def save_connectome(path: Path, connectome: Connectome) -> None:
    """Write ``connectome.safetensors``; the same content gives the same bytes."""
    plain, without = connectome.plain, connectome.without_global_signal
    arrays = {"reference": plain.covariance_CC, "reference_gsr": without.covariance_CC}
    if connectome.distilled:
        arrays |= {
            "map": connectome.distilled.weights_FK,
            "map_mean": connectome.distilled.mean_F,
        }
    description = _Description(
        semantoks=__version__,
        manifest=connectome.manifest,
        shrinkage=plain.estimator.shrinkage,
        shrinkage_gsr=without.estimator.shrinkage,
        summary=connectome.summary,
    )
    text = json.dumps(description.model_dump(mode="json"), sort_keys=True)
    write_tensors(path, {name: torch.from_numpy(a) for name, a in arrays.items()}, {_KEY: text})


def load_connectome(path: Path) -> Connectome:
    """Read ``connectome.safetensors``.

    Raises
    ------
    UserError
        If it is missing, damaged or another file, of another version, or of something else than
        covariances.
    """
    if not path.exists():
        raise UserError(f"There is no connectome of a model at {path}. Check the path.")
    require_safetensors(path)
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    if text is None:
        raise UserError(
            f"{path} holds other tensors than a connectome of Semantoks. Name the file that "
            "`semantoks connectome` wrote."
        )
    try:
        description = _Description.model_validate_json(text)
        _require_arrays(arrays, len(description.manifest.labels))
    except ValidationError as error:
        key = ".".join(map(str, error.errors()[0]["loc"])) or "its description"
        raise UserError(
            f"{path} is of another version of Semantoks ({key} is not as expected), and this is "
            f"{__version__}. Use the version that wrote the file, or make it again."
        ) from error
    except ValueError as error:
        raise damaged(path, first_line(error)) from error
    return _as_connectome(description, arrays)


def _as_connectome(description: _Description, arrays: Mapping[str, np.ndarray]) -> Connectome:
    has_map = "map" in arrays
    return Connectome(
        description.manifest,
        Reference(arrays["reference"], Estimator(description.shrinkage)),
        Reference(arrays["reference_gsr"], Estimator(description.shrinkage_gsr, True)),
        DistilledMap(arrays["map_mean"], arrays["map"]) if has_map else None,
        description.summary,
    )


def _require_arrays(arrays: Mapping[str, np.ndarray], regions: int) -> None:
    """Refuse arrays of other names, shapes or kinds.

    Raises
    ------
    ValueError
    """
    features, components = regions * (regions + 1) // 2, arrays.get("map", np.empty((0, 0))).shape
    shapes: dict[str, tuple[int, ...]] = {
        "reference": (regions, regions),
        "reference_gsr": (regions, regions),
    }
    if "map" in arrays or "map_mean" in arrays:
        shapes |= {"map": (features, components[-1] if components else 0), "map_mean": (features,)}
    if arrays.keys() != shapes.keys():
        raise ValueError(f"it has {', '.join(sorted(arrays))}, expected {', '.join(shapes)}")
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has the shape {arrays[name].shape}, expected {shape}")
        if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} has numbers that are not finite")
    for name in ("reference", "reference_gsr"):
        if (
            not np.allclose(arrays[name], arrays[name].T)
            or np.linalg.eigvalsh(arrays[name])[0] <= 0
        ):
            raise ValueError(f"{name} is no covariance")
