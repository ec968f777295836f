"""The projection head of the distillation losses; it is dropped after pretraining."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semantoks.model.network.linear import Linear


class Projector(nn.Module):
    """Two-layer MLP with normalised output, shared by [CLS], network means and tokens.

    Parameters
    ----------
    width, hidden, output : int
        Widths of the input, the hidden layer and the output.
    """

    def __init__(self, width: int, hidden: int, output: int) -> None:
        super().__init__()
        self.hidden = Linear(width, hidden)
        self.output = Linear(hidden, output)
        for layer in (self.hidden, self.output):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return unit vectors (…, output) for features (…, width), at least in float32."""
        projected: Tensor = self.output(F.gelu(self.hidden(x)))
        # Under autocast the output is bfloat16; its 8 significant bits are too few for cosines.
        return F.normalize(
            projected.to(torch.promote_types(projected.dtype, torch.float32)), dim=-1
        )
