"""The small encoder of the tests of `embed`."""

from tests.unit.model.embed.conftest import encoder  # noqa: F401
