"""What the time series of several files have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.timeseries import Manifest, read_manifest
from semantoks.model.files.match import require_match


def common_manifest(timeseries: Sequence[Path], allow_mismatch: Sequence[str]) -> Manifest:
    """Return the manifest that all files share.

    Raises
    ------
    UserError
        Naming the file that differs, and in which fields.
    """
    manifests = [read_manifest(path) for path in timeseries]
    # A file in which every scan was excluded has no space.
    common = next((manifest for manifest in manifests if manifest.space), manifests[0])
    for path, manifest in zip(timeseries, manifests, strict=True):
        require_match(common, manifest, str(path), allow_mismatch)
    return common
