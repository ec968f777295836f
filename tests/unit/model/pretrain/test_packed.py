"""Packed scans and their windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semantoks.model.pretrain.packed import PackedScans
from tests.unit.model.pretrain.conftest import make_scans


def test_windows_are_slices_of_their_scan(tmp_path: Path) -> None:
    scans = [np.random.default_rng(i).normal(size=(3, 10 + i)).astype("f4") for i in range(4)]
    PackedScans.write(tmp_path, iter(scans))
    packed = PackedScans.open(tmp_path).to("cpu")
    assert packed.volumes_VC.dtype == torch.float16
    windows = packed.windows(torch.tensor([3, 0, 1]), torch.tensor([8, 0, 2]), 5)
    for window, (scan, start) in zip(windows, [(3, 8), (0, 0), (1, 2)], strict=True):
        expected = scans[scan][:, start : start + 5].astype(np.float16)
        np.testing.assert_array_equal(window, expected)


def test_scans_with_different_regions_are_not_packed(tmp_path: Path) -> None:
    scans = [*make_scans(2), make_scans(1)[0][:5]]
    with pytest.raises(ValueError, match="5 regions, but the previous ones have 12"):
        PackedScans.write(tmp_path, scans)
