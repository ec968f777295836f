"""How much of a window's embedding is left if only its first volumes are known.

    python -m experiments.padding MODEL_FOLDER TIMESERIES.parquet

The first volumes of each scan are padded with zeros and masked (as `embed` does), padded without a
mask, or shortened to whole patches. Each embedding is compared with those of the whole windows, in
their units: the share whose most similar whole window is their own, and the root mean square of the
difference in standard deviations of the features.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from semantoks.artifacts.timeseries import iter_scans
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.network.encoder import Encoder

KNOWN = (5, 10, 20, 30, 50, 60, 90)


def variants(encoder: Encoder, x_WCT: Tensor, known: int, readout: str) -> dict[str, Tensor]:
    """Embed the first volumes in each of the three forms."""
    read, patch = getattr(encoder, readout), encoder.architecture.patch
    padded = F.pad(x_WCT[..., :known], (0, x_WCT.shape[-1] - known))
    embedded = {"masked": read(padded, -(-known // patch)), "unmasked": read(padded)}
    if known >= patch:
        embedded["shortened"] = read(x_WCT[..., : known // patch * patch])
    return embedded


def compared(embedded: np.ndarray, whole: np.ndarray) -> tuple[float, float]:
    """Share of windows that are recognised, and root mean square difference."""
    mean, deviation = whole.mean(axis=0), whole.std(axis=0) + 1e-9
    first, second = (embedded - mean) / deviation, (whole - mean) / deviation
    similarity = np.corrcoef(first, second)[: len(first), len(first) :]
    recognised = similarity.argmax(axis=1) == np.arange(len(first))
    return float(recognised.mean()), float(np.sqrt(((first - second) ** 2).mean()))


@torch.inference_mode()
def main() -> None:
    """Print a line per number of volumes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("timeseries", type=Path)
    chosen = parser.parse_args()
    encoder = load_encoder(chosen.model / "encoder.safetensors").eval()
    window = encoder.architecture.window
    scans = [scan.timeseries_CT[:, :window] for scan in iter_scans([chosen.timeseries])]
    x_WCT = torch.from_numpy(np.stack([x for x in scans if x.shape[1] == window]))
    for readout in ("embed", "embed_networks"):
        whole = getattr(encoder, readout)(x_WCT).numpy()
        for known in (volumes for volumes in KNOWN if volumes < window):
            parts = variants(encoder, x_WCT, known, readout).items()
            rates = {name: compared(values.numpy(), whole) for name, values in parts}
            text = ", ".join(
                f"{name} {share:.2f} ({rms:.2f})" for name, (share, rms) in rates.items()
            )
            print(f"{readout}, {known} of {window} volumes: {text}")


if __name__ == "__main__":
    main()
