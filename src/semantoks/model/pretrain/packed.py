"""All scans of a training in a single memory-mapped file.

The file is scratch of the training, not an artifact: only the training reads it, and it is deleted
at the end. float16 halves the reads, and its rounding error is far below the added noise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from semantoks.artifacts.files import atomic, read_json, write_json

_VOLUMES = "scans.f16"
_LENGTHS = "scans.json"


@dataclass(frozen=True)
class PackedScans:
    """All scans concatenated over time, so that the windows of a batch are a single gather.

    Attributes
    ----------
    volumes_VC : Tensor of float16
        (volumes of all scans, regions); NaN where a region is not covered.
    first_S, length_S : Tensor of int
        First volume and number of volumes of each scan.
    """

    volumes_VC: Tensor
    first_S: Tensor
    length_S: Tensor

    @staticmethod
    def write(folder: Path, scans: Iterable[np.ndarray]) -> None:
        """Pack z-scored time series, (regions, volumes) each; only one at a time is in memory.

        Raises
        ------
        ValueError
            If the scans differ in their number of regions.
        """
        lengths: list[int] = []
        regions = 0
        with atomic(folder / _VOLUMES, of_people=True) as temporary, temporary.open("wb") as file:
            for scan in scans:
                if regions not in (0, len(scan)):
                    raise ValueError(
                        f"a scan has {len(scan)} regions, but the previous ones have {regions}"
                    )
                regions = len(scan)
                lengths.append(scan.shape[1])
                # Volumes first, so that a window is a run of whole rows. z-scores are far below
                # float16's maximum of 65,504.
                file.write(np.ascontiguousarray(scan.T, np.float16).data)
        write_json(folder / _LENGTHS, {"regions": regions, "lengths": lengths})

    @classmethod
    def open(cls, folder: Path) -> PackedScans:
        """Map the file written by `write` into memory."""
        content = read_json(folder / _LENGTHS)
        length_S = torch.tensor(content["lengths"], dtype=torch.long)
        volumes, regions = int(length_S.sum()), content["regions"]
        # A private mapping: processes share the pages of the file, and no write reaches it.
        flat = torch.from_file(
            str(folder / _VOLUMES), size=volumes * regions, dtype=torch.float16, shared=False
        )
        return cls(flat.view(volumes, regions), length_S.cumsum(0) - length_S, length_S)

    def to(self, device: torch.device | str) -> PackedScans:
        """Move to a device; volumes move only if they fit into half of the GPU's free memory."""
        volumes_VC = self.volumes_VC
        if torch.device(device).type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            # The other half is for activations. Volumes that stay on the CPU cost a copy per step.
            if volumes_VC.nbytes <= free / 2:
                volumes_VC = volumes_VC.to(device)
        return PackedScans(volumes_VC, self.first_S.to(device), self.length_S.to(device))

    def windows(self, scan_B: Tensor, start_B: Tensor, volumes: int) -> Tensor:
        """Return windows of scans, (B, regions, volumes), in PyTorch's default dtype.

        Parameters
        ----------
        scan_B, start_B : Tensor of int
            Scan of each window and its first volume within the scan.
        volumes : int
            Volumes of a window.
        """
        offsets_T = torch.arange(volumes, device=start_B.device)
        row_BT = (self.first_S[scan_B] + start_B)[:, None] + offsets_T
        windows_BTC = self.volumes_VC[row_BT.to(self.volumes_VC.device)].to(start_B.device)
        return windows_BTC.mT.to(torch.get_default_dtype())
