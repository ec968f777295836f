"""A linear layer that is fast on every CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    """`torch.nn.Linear`, on a CPU in float32 computed as a convolution of one pixel.

    The two are the same products of matrices, but PyTorch hands the first to MKL and the second
    to oneDNN, which uses AVX-512 on processors of every maker: on an AMD EPYC forward and
    backward together take 0.65 to 0.9 of the time.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (…, out_features) for (…, in_features)."""
        if not _one_pixel_pays(x):
            return super().forward(x)
        x_RI = x.reshape(-1, self.in_features)
        # Rows as the pixels of one image whose channels lie side by side in memory.
        image_1IR1 = x_RI[None, :, None].permute(0, 3, 1, 2)
        image_1OR1 = F.conv2d(image_1IR1, self.weight[..., None, None], self.bias)
        return image_1OR1.permute(0, 2, 3, 1).reshape(*x.shape[:-1], self.out_features)


_HAS_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def _one_pixel_pays(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.numel() > 0
        and _HAS_ONEDNN
        and not torch.is_autocast_enabled("cpu")
    )
