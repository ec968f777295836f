"""Advice when memory runs out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semantoks.errors import UserError
from semantoks.system.memory import advise_when_out_of_memory


def test_tensor_or_array_that_is_too_large_gives_advice() -> None:
    for allocate in (lambda: torch.empty(10**15), lambda: np.empty(10**15)):
        expected = pytest.raises(UserError, match=r"Out of memory \(.+\)\. Use less\.")
        with expected, advise_when_out_of_memory("Use less."):
            allocate()


def test_other_runtime_errors_are_not_changed() -> None:
    expected = pytest.raises(RuntimeError, match="size of tensor")
    with expected, advise_when_out_of_memory("Use less."):
        torch.ones(2) + torch.ones(3)
