"""A linear layer that runs on oneDNN on a CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    """`torch.nn.Linear`, computed as a 1 × 1 convolution on a CPU in float32.

    Both are the same matrix product. PyTorch sends `F.linear` to MKL and a channels_last conv2d to
    oneDNN, which uses AVX-512 on processors of every vendor. On an AMD EPYC, forward and backward
    together take 0.65 to 0.9 of the time.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (…, out_features) for (…, in_features)."""
        if not _use_convolution(x):
            return super().forward(x)
        x_RI = x.reshape(-1, self.in_features)
        # The rows become the pixels of a single image. Permuting a contiguous (1, 1, R, I) tensor
        # yields channels_last strides without a copy.
        image_1IR1 = x_RI[None, :, None].permute(0, 3, 1, 2)
        image_1OR1 = F.conv2d(image_1IR1, self.weight[..., None, None], self.bias)
        return image_1OR1.permute(0, 2, 3, 1).reshape(*x.shape[:-1], self.out_features)


_HAS_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def _use_convolution(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.numel() > 0
        and _HAS_ONEDNN
        # Under autocast the product is bfloat16, which `F.linear` sends to oneDNN as well.
        and not torch.is_autocast_enabled("cpu")
    )
