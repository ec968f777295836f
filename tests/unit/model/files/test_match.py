"""Comparison of manifests."""

from __future__ import annotations

from typing import Any

import pytest

from semantoks.errors import UserError
from semantoks.model.files.match import require_fit, require_match
from semantoks.model.network.encoder import Encoder
from tests.unit.model.conftest import SIZES, make_manifest


@pytest.fixture
def encoder() -> Encoder:
    model = Encoder(SIZES, ("a", "b", "a", "b"))
    model.manifest = make_manifest()
    return model


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tr": 0.8}, r"tr is 0\.8, expected 2\.0"),
        ({"labels": ("r2", "r1", "r3", "r4")}, r"labels\[0\] is r2, expected r1"),
        ({"labels": ("r1",)}, "labels has 1 entries, expected 4"),
        ({"low_pass": None, "space": "MNI152NLin6Asym"}, "space is .*; low_pass is None"),
    ],
)
def test_differing_fields_are_named_and_can_be_allowed(
    encoder: Encoder, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        require_fit(encoder, make_manifest(**changes), "The time series")
    require_fit(encoder, make_manifest(**changes), "The time series", list(changes))


def test_unknown_field_in_allow_mismatch_raises(encoder: Encoder) -> None:
    with pytest.raises(UserError, match="allow_mismatch names tR; a manifest has the fields"):
        require_fit(encoder, make_manifest(), "The time series", ["tR"])


def test_file_without_scans_has_no_space_and_fits() -> None:
    require_match(make_manifest(), make_manifest(space=""), "an empty shard")
    require_match(make_manifest(space=""), make_manifest(), "the others")
    with pytest.raises(UserError, match="tr is 3.0, expected 2.0"):
        require_match(make_manifest(), make_manifest(space="", tr=3.0), "an empty shard")
