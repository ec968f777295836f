"""Coupling, its missing regions, and its reference of each site."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from semantoks.artifacts.timeseries import Scan
from semantoks.connectivity.reference import Estimator, MeanCovariance
from semantoks.connectivity.triangles import from_triangle
from semantoks.model.embed.coupling import Coupling, references_by_site
from semantoks.model.files.connectome import Connectome, DistilledMap, Summary
from tests.unit.model.conftest import make_manifest

REGIONS, FEATURES = 4, 10


def make_scan(timeseries_CT: np.ndarray, person: str = "sub-1") -> Scan:
    return Scan(person, person, "", "rest", "", 2.0, timeseries_CT)


def draw_site(people: range, mixing: np.ndarray, seed: int = 0) -> Iterator[Scan]:
    rng = np.random.default_rng(seed)
    for number in people:
        x_CT = mixing @ rng.standard_normal((REGIONS, 100))
        x_CT = (x_CT - x_CT.mean(1, keepdims=True)) / x_CT.std(1, keepdims=True)
        yield make_scan(x_CT, f"sub-{number}")


def make_connectome(scans: list[Scan]) -> Connectome:
    means = [MeanCovariance(Estimator(0.1), REGIONS), MeanCovariance(Estimator(0.3, True), REGIONS)]
    for mean in means:
        for scan in scans:
            mean.add(scan.timeseries_CT)
    weights = np.random.default_rng(0).standard_normal((FEATURES, 3)).astype(np.float32)
    distilled = DistilledMap(np.zeros(FEATURES, np.float32), weights)
    plain, without = (mean.reference() for mean in means)
    return Connectome(make_manifest(), plain, without, distilled, Summary(scans=1, people=1))


MIXINGS = [np.eye(REGIONS) + shift * np.ones((REGIONS, REGIONS)) for shift in (0.3, 0.8)]
SITES = [list(draw_site(range(30), MIXINGS[0], 1)), list(draw_site(range(30, 60), MIXINGS[1], 2))]
CONNECTOME = make_connectome([*SITES[0], *SITES[1]])


def test_a_region_without_data_is_unknown_and_completed_for_the_map() -> None:
    x_CT = SITES[0][0].timeseries_CT.copy()
    x_CT[1] = np.nan
    scan, readouts = make_scan(x_CT), Coupling(CONNECTOME)
    for vector in (readouts.coupling(scan), readouts.coupling_gsr(scan)):
        unknown_CC = np.isnan(from_triangle(vector))
        expected_CC = np.zeros((REGIONS, REGIONS), bool)
        expected_CC[1] = expected_CC[:, 1] = True
        assert np.array_equal(unknown_CC, expected_CC)
    assert np.isfinite(readouts.distilled(scan)).all()
    x_CT[:3] = np.nan
    for vector in (readouts.coupling(scan), readouts.distilled(scan)):
        assert np.isnan(vector).all()


def test_a_block_of_ten_volumes_has_coupling() -> None:
    scan = make_scan(SITES[0][0].timeseries_CT[:, :10])
    assert np.isfinite(Coupling(CONNECTOME).coupling(scan)).all()


def test_the_mean_of_each_site_becomes_the_origin() -> None:
    """What differs between two sites is in coupling, and no longer after recentring."""
    site_of = {scan.participant_id: str(k) for k, scans in enumerate(SITES) for scan in scans}
    by_site = references_by_site([*SITES[0], *SITES[1]], site_of, CONNECTOME)
    stored, recentred = Coupling(CONNECTOME), Coupling(CONNECTOME, by_site)

    def difference(readouts: Coupling, name: str) -> float:
        """Distance of the sites' means in standard deviations of the scans."""
        rows = [np.stack([getattr(readouts, name)(s) for s in scans]) for scans in SITES]
        spread = np.concatenate([r - r.mean(axis=0) for r in rows]).std()
        return float(np.abs(rows[0].mean(axis=0) - rows[1].mean(axis=0)).max() / spread)

    assert difference(stored, "coupling") > 1.5
    assert difference(recentred, "coupling") < 0.5
    assert difference(recentred, "coupling_gsr") < 0.5
    scan = SITES[1][3]
    assert np.array_equal(stored.distilled(scan), recentred.distilled(scan))


def test_small_sites_and_unknown_ones_keep_the_reference_of_the_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scans = [*SITES[0], *SITES[1][:19]]
    site_of = {scan.participant_id: "b" for scan in SITES[1]}
    site_of |= {scan.participant_id: "a" for scan in SITES[0][:25]}
    with caplog.at_level("INFO"):
        by_site = references_by_site(scans, site_of, CONNECTOME)
    assert by_site.keys() == {scan.participant_id for scan in SITES[0][:25]}
    assert "at 1 of 2 sites" in caplog.text and "5 scan(s) of unknown site" in caplog.text
