"""The transformer block and the fixed embedding of time patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semantoks.model.network.linear import Linear


class Block(nn.Module):
    """A pre-norm transformer block with LayerScale.

    Parameters
    ----------
    width : int
        Width of a token; a multiple of `heads`.
    heads : int
        Attention heads.
    layer_scale : float
        Initial value of LayerScale.

    References
    ----------
    Touvron et al., "Going deeper with image transformers", ICCV 2021, arXiv 2103.17239.
    """

    def __init__(self, width: int, heads: int, layer_scale: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = Linear(width, 3 * width, bias=False)
        self.projection = Linear(width, width)
        self.attention_scale = nn.Parameter(torch.full((width,), layer_scale))
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(Linear(width, 4 * width), nn.GELU(), Linear(4 * width, width))
        self.mlp_scale = nn.Parameter(torch.full((width,), layer_scale))

    def forward(self, x_BSD: Tensor, outputs: int | None = None) -> Tensor:
        """Add attention and MLP to the sequence.

        Parameters
        ----------
        x_BSD : Tensor
            Sequences (batch, positions, width).
        outputs : int, optional
            Compute only the first `outputs` positions (default: all). Every position still
            serves as key and value.

        Returns
        -------
        Tensor
            (batch, outputs, width).
        """
        batch, length, _ = x_BSD.shape
        # The order (3, heads, …) is that of the reference, so its qkv weights load unchanged.
        qkv = self.qkv(self.attention_norm(x_BSD)).view(batch, length, 3, self.heads, -1)
        query_BHSE, key_BHSE, value_BHSE = qkv.permute(2, 0, 3, 1, 4)
        mixed_BHSE = F.scaled_dot_product_attention(
            query_BHSE[:, :, :outputs], key_BHSE, value_BHSE
        )
        mixed_BSD = mixed_BHSE.transpose(1, 2).flatten(2)
        x_BSD = x_BSD[:, :outputs] + self.attention_scale * self.projection(mixed_BSD)
        return x_BSD + self.mlp_scale * self.mlp(self.mlp_norm(x_BSD))


def time_embedding(patches: int, width: int, device: torch.device | str | None = None) -> Tensor:
    """Return the fixed sine-cosine embedding of time patches, (patches, width).

    It is a function of the position, so windows of any length can be encoded.
    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017, arXiv 1706.03762.
    """
    exponent = torch.arange(width // 2, dtype=torch.float64, device=device) / (width // 2)
    time_P = torch.arange(patches, dtype=torch.float64, device=device)
    angles = time_P[:, None] * 10000.0**-exponent
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
