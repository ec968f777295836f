"""The file of a connectome, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from semantoks.connectivity.reference import Estimator, Reference
from semantoks.errors import UserError
from semantoks.model.files.connectome import (
    Connectome,
    DistilledMap,
    Summary,
    load_connectome,
    save_connectome,
)
from tests.unit.model.conftest import make_manifest

REGIONS, FEATURES = 4, 10


def make_connectome(with_map: bool = True, components: int = 3) -> Connectome:
    rng = np.random.default_rng(0)
    plain = np.eye(REGIONS) + 0.2
    weights = rng.standard_normal((FEATURES, components)).astype(np.float32)
    return Connectome(
        make_manifest(),
        Reference(plain, Estimator(0.1)),
        Reference(plain + np.eye(REGIONS), Estimator(0.3, without_global_signal=True)),
        DistilledMap(np.arange(FEATURES, dtype=np.float32), weights) if with_map else None,
        Summary(scans=20, people=15, scans_of_map=20, penalty=0.3),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_connectome(tmp_path / "connectome.safetensors", make_connectome())
    return tmp_path / "connectome.safetensors"


@pytest.mark.parametrize("with_map", [True, False])
def test_what_was_saved_is_loaded(tmp_path: Path, with_map: bool) -> None:
    path, again = tmp_path / "first.safetensors", tmp_path / "again.safetensors"
    save_connectome(path, make_connectome(with_map))
    loaded = load_connectome(path)
    assert loaded.manifest == make_manifest() and loaded.summary.people == 15
    assert loaded.without_global_signal.estimator == Estimator(0.3, without_global_signal=True)
    assert np.array_equal(loaded.plain.covariance_CC, np.eye(REGIONS) + 0.2)
    assert (loaded.distilled is not None) == with_map
    if loaded.distilled:
        assert loaded.distilled.weights_FK.shape == (FEATURES, 3)
        assert not loaded.distilled(np.arange(FEATURES)).any()
    save_connectome(again, loaded)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(("components", "features"), [(1, 1), (3, 4), (4, 4), (5, 8)])
def test_features_vary_alike_and_have_the_products_of_the_components(
    components: int, features: int
) -> None:
    rng = np.random.default_rng(0)
    weights_FK = (
        rng.standard_normal((FEATURES, components)) * 3.0 ** np.arange(components)
    ).astype(np.float32)
    distilled = DistilledMap(np.ones(FEATURES, np.float32), weights_FK)
    scans_PF = rng.standard_normal((200, FEATURES))
    components_PK = (scans_PF - 1) @ weights_FK
    features_PE = np.stack([distilled(scan_F) for scan_F in scans_PF])
    assert features_PE.shape == (200, features) and distilled.features == features
    products_PP = components_PK @ components_PK.T
    # Small products are sums of large terms in float32.
    np.testing.assert_allclose(
        features_PE @ features_PE.T, products_PP, rtol=1e-3, atol=1e-6 * products_PP.max()
    )
    # Uncorrelated components, however much their variances differ, give features of one variance.
    spread_KE = distilled._spread
    variances_E = (spread_KE**2 * 9.0 ** np.arange(components)[:, None]).sum(axis=0)
    np.testing.assert_allclose(variances_E, variances_E[0], rtol=1e-6)


def change(path: Path, **changes: torch.Tensor | None) -> None:
    """Write the file again with other tensors; None takes one out."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors: dict[str, torch.Tensor | None] = load_file(path) | changes
    save_file({name: t for name, t in tensors.items() if t is not None}, path, metadata)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"map": None}, "it has map_mean, reference, reference_gsr, expected"),
        ({"reference": None}, "it has map, map_mean, reference_gsr, expected"),
        ({"other": torch.ones(1)}, "it has map, map_mean, other, reference"),
        ({"reference": torch.eye(3)}, r"reference has the shape \(3, 3\), expected \(4, 4\)"),
        ({"map_mean": torch.ones(3)}, r"map_mean has the shape \(3,\), expected \(10,\)"),
        ({"map": torch.ones(9, 3)}, r"map has the shape \(9, 3\), expected \(10, 3\)"),
        ({"map": torch.ones(10)}, r"map has the shape \(10,\), expected \(10, 10\)"),
        ({"map": torch.full((10, 3), torch.nan)}, "map has numbers that are not finite"),
        ({"map": torch.ones(10, 3, dtype=torch.int64)}, "map has numbers that are not finite"),
        ({"reference": torch.ones(4, 4)}, "reference is no covariance"),
        ({"reference_gsr": torch.eye(4).cumsum(1)}, "reference_gsr is no covariance"),
    ],
)
def test_damaged_files_are_refused(
    file: Path, changes: dict[str, torch.Tensor | None], message: str
) -> None:
    change(file, **changes)
    with pytest.raises(UserError, match=rf"connectome\.safetensors is damaged.*{message}"):
        load_connectome(file)


def test_other_files_are_refused(file: Path) -> None:
    with pytest.raises(UserError, match="There is no connectome of a model at"):
        load_connectome(file.with_name("nowhere.safetensors"))
    content = file.read_bytes()
    file.write_bytes(content[:-8])
    with pytest.raises(UserError, match="is damaged"):
        load_connectome(file)
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match="pointer of Git LFS"):
        load_connectome(file)
    save_file({"weights": torch.ones(3)}, file)
    with pytest.raises(UserError, match="holds other tensors than a connectome"):
        load_connectome(file)
    save_file({"weights": torch.ones(3)}, file, {"connectome": '{"semantoks": "9", "new": 1}'})
    with pytest.raises(UserError, match="of another version of Semantoks"):
        load_connectome(file)
