"""The small encoder and the atlases of the tests of stages."""

from tests.unit.data.parcellate.conftest import atlas, dense_atlas  # noqa: F401
from tests.unit.model.embed.conftest import encoder  # noqa: F401
