"""What is read from the covariance between the regions of a scan."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from semantoks.artifacts.timeseries import Scan
from semantoks.connectivity.reference import MeanCovariance, Reference, regions_with_data
from semantoks.connectivity.triangles import to_triangle
from semantoks.model.files.connectome import Connectome

log = logging.getLogger(__name__)

# The mean of fewer scans is too far from that of the site.
MIN_SCANS_OF_SITE = 20


class References(NamedTuple):
    """Where the tangent space touches."""

    plain: Reference
    without_global_signal: Reference


@dataclass(frozen=True)
class Coupling:
    """Readouts of the covariance between regions.

    Attributes
    ----------
    connectome : Connectome
        Of the model.
    of_participant : mapping of str to References
        Of participants whose site has its own.
    """

    connectome: Connectome
    of_participant: Mapping[str, References] = field(default_factory=dict)

    @property
    def distilled_features(self) -> int:
        """Number of features of the distilled map; 0 if there is none."""
        return 0 if self.connectome.distilled is None else self.connectome.distilled.features

    def coupling(self, scan: Scan) -> np.ndarray:
        """Return the tangent vector; NaN where a region has no data."""
        return self._known(scan, self._references(scan).plain)

    def coupling_gsr(self, scan: Scan) -> np.ndarray:
        """Return the tangent vector after regression of the global signal, likewise."""
        return self._known(scan, self._references(scan).without_global_signal)

    def distilled(self, scan: Scan) -> np.ndarray:
        """Return the features of the distilled map, for which regions without data are completed.

        Raises
        ------
        ValueError
            If the connectome has no map.
        """
        if self.connectome.distilled is None:
            raise ValueError("the connectome has no map")
        # Not the site's reference: the map was fitted at that of the model.
        reference = self.connectome.without_global_signal
        return self.connectome.distilled(reference.tangent_vector(scan.timeseries_CT))

    def _references(self, scan: Scan) -> References:
        stored = References(self.connectome.plain, self.connectome.without_global_signal)
        return self.of_participant.get(scan.participant_id, stored)

    def _known(self, scan: Scan, reference: Reference) -> np.ndarray:
        # What is completed is no information about the scan, so the probe shall not take it so.
        known_C = regions_with_data(scan.timeseries_CT)
        tangent_F = reference.tangent_vector(scan.timeseries_CT)
        return np.where(to_triangle(np.outer(known_C, known_C)), tangent_F, np.nan)


def references_by_site(
    scans: Iterable[Scan], site_of: Mapping[str, str], connectome: Connectome
) -> dict[str, References]:
    """Make references of each site, from all its scans and without any phenotype.

    Parameters
    ----------
    scans : iterable of Scan
        One at a time in memory.
    site_of : mapping of str to str
        Site of each participant; those whose site is not known are not there.
    connectome : Connectome
        Says how covariances are estimated.

    Returns
    -------
    dict of str to References
        By participant. Those of a site with fewer than `MIN_SCANS_OF_SITE` scans, or of none, are
        not there, which the log says.
    """
    stored = (connectome.plain, connectome.without_global_signal)
    regions = len(connectome.manifest.labels)
    means: dict[str, list[MeanCovariance]] = {}
    without_site = 0
    for scan in scans:
        site = site_of.get(scan.participant_id)
        if site is None:
            without_site += 1
            continue
        if site not in means:
            means[site] = [MeanCovariance(reference.estimator, regions) for reference in stored]
        for mean in means[site]:
            mean.add(scan.timeseries_CT)
    used = {
        site: References(*(mean.reference() for mean in pair))
        for site, pair in sorted(means.items())
        if pair[0].scans >= MIN_SCANS_OF_SITE
    }
    log.info(
        "Coupling is recentred at %d of %d sites; the others have fewer than %d scans and keep the "
        "reference of the model, as do %d scan(s) of unknown site.",
        len(used),
        len(means),
        MIN_SCANS_OF_SITE,
        without_site,
    )
    return {person: used[site] for person, site in site_of.items() if site in used}
