"""Scans of participants, and windows of them.

Legend: W windows, C regions, T volumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from semantoks.artifacts.timeseries import Scan
from semantoks.model.embed.embedding import cut_windows
from semantoks.model.network.encoder import Encoder

WINDOWS_AT_ONCE = 256  # through the encoder, without gradients


@dataclass(frozen=True)
class Windows:
    """Windows of some participants.

    Attributes
    ----------
    windows_WCT : ndarray of float32
    patches_W : ndarray of int
        Number of patches that hold data, for scans that are shorter than a window.
    row_W : ndarray of int
        Row number of the participant.
    share_W : ndarray
        Of each window in the mean of its participant: over windows, then over scans.
    """

    windows_WCT: np.ndarray
    patches_W: np.ndarray
    row_W: np.ndarray
    share_W: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[Windows]) -> Windows:
        """Join windows of several scans."""
        fields = ("windows_WCT", "patches_W", "row_W", "share_W")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


@dataclass(frozen=True)
class People:
    """Scans of each participant of a problem, in the order of its rows.

    Attributes
    ----------
    scans : list of list of ndarray, shape (regions, volumes)
        Without scans in which no network has enough regions with data.
    encoder : Encoder
        Says how long a window is.
    """

    scans: list[list[np.ndarray]]
    encoder: Encoder

    @classmethod
    def of(cls, scans: Iterable[Scan], ids: Sequence[str], encoder: Encoder) -> People:
        """Take the usable scans of the participants `ids`."""
        row_of = {participant: row for row, participant in enumerate(ids)}
        of_person: list[list[np.ndarray]] = [[] for _ in ids]
        for scan in scans:
            row = row_of.get(scan.participant_id)
            if row is not None and _is_usable(scan.timeseries_CT, encoder):
                of_person[row].append(scan.timeseries_CT)
        return cls(of_person, encoder)

    @property
    def has_scan(self) -> np.ndarray:
        """Whether each participant has a usable scan."""
        return np.array([len(scans) > 0 for scans in self.scans])

    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Windows:
        """Draw a random window of a random scan for each of `rows`, which may repeat."""
        return Windows.joined([self._drawn(row, rng) for row in rows])

    def _drawn(self, row: int, rng: np.random.Generator) -> Windows:
        scans = self.scans[row]
        scan_CT = scans[rng.integers(len(scans))]
        last = max(scan_CT.shape[1] - self.encoder.architecture.window, 0)
        return self._cut(scan_CT, row, 1.0, [int(rng.integers(last + 1))])

    def spaced(self, rows: np.ndarray) -> Iterator[Windows]:
        """Yield evenly spaced windows of all scans of some participants, as `embed` takes them."""
        parts, count = list[Windows](), 0
        for row in rows:
            for scan_CT in self.scans[row]:
                parts.append(self._cut(scan_CT, row, 1 / len(self.scans[row])))
                count += len(parts[-1].row_W)
                if count >= WINDOWS_AT_ONCE:
                    yield Windows.joined(parts)
                    parts, count = [], 0
        if parts:
            yield Windows.joined(parts)

    def _cut(
        self, scan_CT: np.ndarray, row: int, share: float, starts: Sequence[int] | None = None
    ) -> Windows:
        """Cut a scan at `starts`, by default evenly; `share` is that of the scan in its person."""
        windows_WCT, patches = cut_windows(scan_CT, self.encoder, starts)
        count, architecture = len(windows_WCT), self.encoder.architecture
        whole = architecture.window // architecture.patch
        return Windows(
            windows_WCT,
            np.full(count, whole if patches is None else patches),
            np.full(count, row),
            np.full(count, share / count),
        )


def _is_usable(timeseries_CT: np.ndarray, encoder: Encoder) -> bool:
    """Whether any network has enough regions with data."""
    return bool(encoder.presence(torch.tensor(timeseries_CT)[None]).any())
