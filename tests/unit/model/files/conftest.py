"""A small encoder with a manifest."""

from __future__ import annotations

import pytest

from semantoks.model.network.encoder import Encoder
from tests.unit.model.conftest import SIZES, make_manifest
from tests.workspaces import ROOT

# A tiny random checkpoint of the reference implementation.
REFERENCE = ROOT / "tests/reference/tiny.pth"
MANIFEST = make_manifest(("a", "b", "a"))


@pytest.fixture
def encoder() -> Encoder:
    model = Encoder(SIZES, MANIFEST.networks, ("b", "a"))
    model.manifest = MANIFEST
    return model
