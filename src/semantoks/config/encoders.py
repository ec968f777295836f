"""Encoders that installed packages offer.

Only what is installed is ever run: a configuration names an entry point and no file, so that one
from a stranger cannot bring code along.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from semantoks.config.suggestions import sentence, suggest
from semantoks.errors import UserError

GROUP = "semantoks.encoders"


def find_encoder(name: str) -> EntryPoint:
    """Find an encoder among those of installed packages; nothing of its package is imported.

    Parameters
    ----------
    name : str
        Of an entry point of the group `GROUP`.

    Raises
    ------
    UserError
        If no package offers it, or several do.
    """
    known = entry_points(group=GROUP)
    offers = {package_of(entry): entry for entry in known if entry.name == name}
    if not offers:
        names = sorted({entry.name for entry in known})
        hint = suggest(name, names) if names else "no installed package has any"
        raise UserError(
            sentence(
                f"There is no encoder '{name}' among the entry points {GROUP} of the packages that "
                f"are installed here; {hint}"
            )
        )
    if len(offers) > 1:
        raise UserError(
            f"Several packages offer an encoder '{name}': {', '.join(sorted(offers))}. Uninstall "
            "all but one."
        )
    return next(iter(offers.values()))


def package_of(encoder: EntryPoint) -> str:
    """Return name and version of the package that offers an encoder."""
    package = encoder.dist
    return f"{package.name} {package.version}" if package else encoder.value
