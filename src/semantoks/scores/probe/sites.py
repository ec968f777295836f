"""Sites that features are harmonised between, and whose participants stay as they are."""

from __future__ import annotations

import logging

import numpy as np

from semantoks.errors import UserError
from semantoks.scores.probe.combat import MIN_OF_SITE, usable_sites
from semantoks.scores.probe.problem import Problem
from semantoks.scores.probe.settings import ProbeSettings

log = logging.getLogger(__name__)


def sites_to_harmonize(problem: Problem, settings: ProbeSettings) -> np.ndarray | None:
    """Return the site of each participant; None if features are not harmonised.

    Participants whose site has too few training participants are counted in the log.

    Raises
    ------
    UserError
        If no site is known, or the site is the phenotype.
    """
    if settings.probe.harmonize == "none":
        return None
    phenotype = problem.metadata.phenotype
    if "site" in settings.targets_among_features(phenotype):
        raise UserError(
            f"Phenotype '{phenotype}' is the site, which probe.harmonize: combat removes from the "
            "features by the site of each test participant. Take the phenotype out, or leave "
            "`harmonize: none`."
        )
    site_P = problem.participants["site"].to_numpy(object)
    if not any(isinstance(site, str) for site in site_P):
        raise UserError(
            f"probe.harmonize: combat needs the sites of participants, but no participant of "
            f"phenotype '{phenotype}' has one. Correct site_column, or leave `harmonize: none`."
        )
    _count_unchanged(problem, site_P, settings)
    return site_P


def _count_unchanged(problem: Problem, site_P: np.ndarray, settings: ProbeSettings) -> None:
    """Say of how many tests the features stay as they are."""
    whole = [part for part in problem.partitions(settings.probe) if part.fraction == 1]
    changed = [np.isin(site_P[p.test].astype(str), usable_sites(site_P[p.train])) for p in whole]
    unchanged, splits = sum(int((~c).sum()) for c in changed), sum(not c.all() for c in changed)
    if unchanged:
        log.warning(
            "In %d of %d splits, %d tests are of participants of a site that is unknown, or has "
            "fewer than %d training participants; ComBat leaves their features as they are.",
            splits,
            len(whole),
            unchanged,
            MIN_OF_SITE,
        )
