"""The normalisation of the structured kernel."""

from __future__ import annotations

import torch

from semantoks.model.network.structured_convolution import StructuredConvolution


def test_kernel_norm_stays_that_of_the_initial_kernel() -> None:
    branch = StructuredConvolution(3, 6, 4, 3, (2.0, 2.0))
    before = branch.norm_HC1.clone()
    with torch.no_grad():
        branch.kernels[0].mul_(2)
    branch(torch.randn(3, 20, 1))
    torch.testing.assert_close(branch.norm_HC1, before)
    assert "norm_HC1" in branch.state_dict()
