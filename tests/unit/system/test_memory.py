"""What is said when memory ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semantoks.errors import UserError
from semantoks.system.memory import advice_when_memory_ends


def test_a_tensor_or_array_too_large_is_one_sentence() -> None:
    for ask in (lambda: torch.empty(10**15), lambda: np.empty(10**15)):
        expected = pytest.raises(UserError, match=r"Memory ran out \(.+\)\. Use less\.")
        with expected, advice_when_memory_ends("Use less."):
            ask()


def test_other_errors_stay_what_they_are() -> None:
    expected = pytest.raises(RuntimeError, match="size of tensor")
    with expected, advice_when_memory_ends("Use less."):
        torch.ones(2) + torch.ones(3)
