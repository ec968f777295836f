"""The T1w image that a BOLD run is registered to."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from semantoks.config import EntityFilter
from semantoks.data.index.bids_files import BidsFile
from semantoks.data.index.raw.entities import MAGNITUDE, describe, selects
from semantoks.data.index.raw.headers import SLAB, Header
from semantoks.errors import UserError

log = logging.getLogger(__name__)


@dataclass
class Anatomy:
    """The T1w images of a data set, and which of them were chosen.

    Attributes
    ----------
    root : Path
        The data set.
    images : dict of str to list of BidsFile
        Usable T1w images by label of the participant.
    chosen : dict of tuple of str to BidsFile
        By participant and session.
    """

    root: Path
    images: dict[str, list[BidsFile]]
    chosen: dict[tuple[str, str], BidsFile | None] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, images: Iterable[BidsFile], wanted: EntityFilter) -> Anatomy:
        """Select the T1w images."""
        t1w = [image for image in images if image.suffix == "T1w"]
        problems = [image.problem for image in t1w if image.problem]
        if problems:
            log.warning("%d T1w image(s) are not used: %s", len(problems), problems[0])
        by_participant = defaultdict(list)
        for image in t1w:
            if selects(MAGNITUDE | wanted, image.entities) and not image.problem:
                by_participant[image.entities["sub"]].append(image)
        return cls(root, dict(by_participant))

    def of_run(self, bold: BidsFile) -> str:
        """Path of the T1w image for a run, empty if the participant has none.

        Images of the run's session come before those of the participant's first.
        """
        key = bold.entities["sub"], bold.entities.get("ses", "")
        if key not in self.chosen:
            images = self.images.get(key[0], [])
            sessions = sorted({image.entities.get("ses", "") for image in images})
            session = key[1] if key[1] in sessions else next(iter(sessions), "")
            candidates = [x for x in images if x.entities.get("ses", "") == session]
            self.chosen[key] = self._preferred(candidates)
        image = self.chosen[key]
        return image.path if image else ""

    def _preferred(self, candidates: Sequence[BidsFile]) -> BidsFile | None:
        """Choose by what an image shows; names only decide among equals."""
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        return min(candidates, key=self._rank)

    def _rank(self, image: BidsFile) -> tuple[bool, bool, int, int, str]:
        is_slab = Header.of(self.root / image.path).extent < SLAB
        # Contrast agent changes the tissue contrast that the template has.
        run = image.entities.get("run", "0")
        number = int(run) if run.isdecimal() else 0
        return is_slab, "ce" in image.entities, len(image.entities), number, image.path

    def report(self) -> None:
        """Say where there was a choice, and where an image of another session is used."""
        several = [image for key, image in self.chosen.items() if image and self._others(image)]
        if several:
            first = several[0]
            others = ", ".join(Path(other.path).name for other in self._others(first))
            log.warning(
                "%d session(s) have several T1w images. Used are whole heads before slabs, those "
                "without contrast agent, with fewer entities and of the first run: %s and not %s. "
                "`t1w_entities` of the data set chooses others.",
                *(len(several), Path(first.path).name, others),
            )
        borrowed = [
            (session, image.path)
            for (_, session), image in self.chosen.items()
            if image and session and image.entities.get("ses", "") not in ("", session)
        ]
        if borrowed:
            log.warning(
                "%d session(s) have no T1w image and use that of another, such as ses-%s %s",
                *(len(borrowed), *borrowed[0]),
            )

    def _others(self, image: BidsFile) -> list[BidsFile]:
        session = image.entities.get("ses")
        images = self.images[image.entities["sub"]]
        return [x for x in images if x.entities.get("ses") == session and x != image]


def require_selected(
    root: Path, images: Iterable[BidsFile], wanted: EntityFilter, anatomies: Iterable[Anatomy]
) -> None:
    """Refuse a filter of T1w images that leaves none.

    Raises
    ------
    UserError
    """
    t1w = [image for image in images if image.suffix == "T1w"]
    if t1w and wanted and not any(anatomy.images for anatomy in anatomies):
        raise UserError(
            f"{root} has no T1w image with {describe(wanted)} (one of {len(t1w)} is "
            f"{t1w[0].path}). Correct `t1w_entities` of the data set."
        )
