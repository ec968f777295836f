"""The fixed embedding of time."""

from __future__ import annotations

import pytest
import torch

from semantoks.model.network.transformer import time_embedding


def test_time_embedding_is_sine_then_cosine() -> None:
    table_PD = time_embedding(3, 4)
    assert table_PD[0].tolist() == [0, 0, 1, 1]
    assert table_PD[2, 1].item() == pytest.approx(torch.sin(torch.tensor(0.02)).item())
