"""An encoder with a linear head, and their parameters layer by layer.

Legend: W windows, F features, K outputs.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from semantoks.config import FinetuneTraining
from semantoks.finetune.people import Windows
from semantoks.model.network.encoder import Encoder


class Predictor(nn.Module):
    """An encoder, whose pooled embedding is standardised, and a linear head.

    Parameters
    ----------
    encoder : Encoder
        Copied, so that every split begins with the same weights.
    outputs : int
        Outputs of the head, which begin at zero.
    """

    mean_F: Tensor
    deviation_F: Tensor

    def __init__(self, encoder: Encoder, outputs: int) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder).requires_grad_(True)
        features = 2 * encoder.architecture.width
        self.register_buffer("mean_F", torch.zeros(features))
        self.register_buffer("deviation_F", torch.ones(features))
        self.head = nn.Linear(features, outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.to(encoder.cls_embedding.device)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.head.weight.device

    def embed(self, windows: Windows) -> Tensor:
        """Embed windows, (W, F); those of short scans apart, since their patches are masked."""
        x_WCT = torch.from_numpy(windows.windows_WCT).to(self.device, self.head.weight.dtype)
        # bfloat16 has the exponent range of float32, so gradients need no scaling.
        is_cuda = self.device.type == "cuda"
        embedded_WF = x_WCT.new_empty(len(x_WCT), self.head.in_features)
        for patches in np.unique(windows.patches_W):
            rows_R = torch.from_numpy(np.flatnonzero(windows.patches_W == patches)).to(self.device)
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_cuda):
                part_RF = self.encoder.embed(x_WCT[rows_R], int(patches))
            embedded_WF = embedded_WF.index_copy(0, rows_R, part_RF.to(embedded_WF.dtype))
        return embedded_WF

    def forward(self, windows: Windows) -> Tensor:
        """Return the outputs of windows, (W, K)."""
        outputs_WK: Tensor = self.head((self.embed(windows) - self.mean_F) / self.deviation_F)
        return outputs_WK

    def start(self, values: Mapping[str, np.ndarray]) -> None:
        """Set the standardisation and the head, by the names of `state_dict`."""
        with torch.no_grad():
            for name, array in values.items():
                target = self.state_dict()[name]
                target.copy_(torch.from_numpy(array).to(target))


def parameter_groups(predictor: Predictor, settings: FinetuneTraining) -> list[dict[str, Any]]:
    """Group parameters by layer, for AdamW: each layer learns more slowly than the one above it.

    Biases, norms and embeddings do not decay, as in pretraining. Source of rates by layer: Clark et
    al., "ELECTRA", ICLR 2020, arXiv 2003.10555.
    """
    depth = predictor.encoder.architecture.depth
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in predictor.named_parameters():
        decays = parameter.ndim > 1 and not name.endswith("embedding")
        groups.setdefault((layer_of(name, depth), decays), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": settings.learning_rate * settings.layer_decay ** (depth + 1 - layer),
            "weight_decay": settings.weight_decay if decays else 0.0,
        }
        for (layer, decays), parameters in groups.items()
    ]


def layer_of(name: str, depth: int) -> int:
    """Return the layer of a parameter: 0 for tokenizers and embeddings, `depth` + 1 for the head.

    The norm after the last transformer block belongs to that block.
    """
    if name.startswith("head."):
        return depth + 1
    block = re.match(r"encoder\.blocks\.(\d+)\.", name)
    if block:
        return int(block[1]) + 1
    return depth if name.startswith("encoder.norm.") else 0
