"""What all readers have in common."""

from __future__ import annotations

from typing import Protocol, TypeVar

from semantoks.data.index.shards import DerivativeScan, RawScan
from semantoks.data.parcellate.regional_means import RegionalMeans

IndexedT = TypeVar("IndexedT", bound=RawScan | DerivativeScan, contravariant=True)


class ScanReader(Protocol[IndexedT]):
    """Reads the regional means of one scan after another, with the confounds where it has them."""

    @property
    def confounds(self) -> str:
        """What is regressed out, for the manifest."""
        ...

    def read(self, scan: IndexedT) -> RegionalMeans:
        """Read one scan.

        Raises
        ------
        ScanError
            When its files are missing, broken, or do not fit the atlas.
        """
        ...
