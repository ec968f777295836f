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
        # Each sequence becomes an image of one row. Permuting a contiguous (B, 1, S, I) tensor
        # yields channels_last strides without a copy.
        image_BI1S = x.view(len(x), 1, -1, self.in_features).permute(0, 3, 1, 2)
        image_BO1S = F.conv2d(image_BI1S, self.weight[..., None, None], self.bias)
        return image_BO1S.permute(0, 2, 3, 1).reshape(*x.shape[:-1], self.out_features)


MIN_IMAGES = 16
_HAS_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def _use_convolution(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.numel() > 0
        # PyTorch computes a 1 × 1 convolution of fewer images without oneDNN in a single thread.
        and (len(x) >= MIN_IMAGES or torch.get_num_threads() > 1)
        and _HAS_ONEDNN
        # Under autocast the product is bfloat16, which `F.linear` sends to oneDNN as well.
        and not torch.is_autocast_enabled("cpu")
    )
