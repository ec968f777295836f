"""ComBat: features without the location and scale of each site, by empirical Bayes.

Source: Johnson et al. 2007, doi:10.1093/biostatistics/kxj037 (parametric priors), without
covariates: of a test participant nothing but the site is used. Sites are compared feature by
feature; their location and scale are shrunk towards what the features of a site have in common.

Legend: P training participants, H held-out participants, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semantoks.artifacts.representations import has_features

MIN_OF_SITE = 2  # training participants, without whom a site has no variance
TOLERANCE = 1e-6  # of the posterior location and scale
MAX_ITERATIONS = 1000


@dataclass(frozen=True)
class Site:
    """Location and scale of the standardised features of one site."""

    location_F: np.ndarray
    scale_F: np.ndarray


def combat(
    train_PF: np.ndarray, held_HF: np.ndarray, train_site_P: np.ndarray, held_site_H: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit ComBat to training participants and apply it to both parts.

    Parameters
    ----------
    train_PF, held_HF : ndarray
        NaN where a value is missing; it stays missing.
    train_site_P, held_site_H : ndarray of object
        Names of sites; None where it is not known.

    Returns
    -------
    train, held : ndarray of float64, the same shapes
        Participants of sites with fewer than `MIN_OF_SITE` training participants, or of no known
        site, stay as they are.
    """
    known_P = has_features(train_PF)
    names = usable_sites(train_site_P[known_P])
    train, held = train_PF.astype(float), held_HF.astype(float)
    if len(names) < 2:
        return train, held
    rows = [known_P & (train_site_P == name) for name in names]
    mean_F, deviation_F = _pooled([train[part] for part in rows])
    # What is constant within sites has no scale, and what nobody has, no location either.
    varies_F = np.isfinite(deviation_F) & (deviation_F > 1e-9 * np.abs(mean_F).clip(1e-300))
    mean_V, deviation_V = mean_F[varies_F], deviation_F[varies_F]
    for name, part in zip(names, rows, strict=True):
        site = _fit_site((train[np.ix_(part, varies_F)] - mean_V) / deviation_V)
        for values, mine in ((train, part), (held, held_site_H == name)):
            there = np.ix_(mine, varies_F)
            standardised = (values[there] - mean_V) / deviation_V
            adjusted = (standardised - site.location_F) / np.sqrt(site.scale_F)
            values[there] = adjusted * deviation_V + mean_V
    return train, held


def usable_sites(site_P: np.ndarray) -> list[str]:
    """Names of the sites that have enough training participants, sorted."""
    names, counts = np.unique([s for s in site_P if isinstance(s, str)], return_counts=True)
    return [str(name) for name in names[counts >= MIN_OF_SITE]]


def _pooled(sites: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each feature over all rows, and its standard deviation within sites."""
    count_F = np.sum([np.isfinite(rows).sum(axis=0) for rows in sites], axis=0)
    total_F = np.sum([np.nansum(rows, axis=0) for rows in sites], axis=0)
    squares_F = np.sum([np.nansum((rows - _mean(rows)) ** 2, axis=0) for rows in sites], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total_F / count_F, np.sqrt(squares_F / count_F)


def _mean(rows_PF: np.ndarray) -> np.ndarray:
    count_F = np.maximum(np.isfinite(rows_PF).sum(axis=0), 1)
    return np.asarray(np.nansum(rows_PF, axis=0) / count_F)


def _fit_site(rows_PF: np.ndarray) -> Site:
    """Estimate the location and scale of a site from its standardised features."""
    count_F = np.isfinite(rows_PF).sum(axis=0).astype(float)
    location_F = _mean(rows_PF)
    squares_F = np.nansum((rows_PF - location_F) ** 2, axis=0)
    scale_F = squares_F / np.maximum(count_F - 1, 1)
    scale_F[scale_F == 0] = 1  # constant within this site alone
    fitted = count_F >= MIN_OF_SITE
    site = Site(np.zeros(len(count_F)), np.ones(len(count_F)))
    site.location_F[fitted], site.scale_F[fitted] = _posterior(
        location_F[fitted], scale_F[fitted], squares_F[fitted], count_F[fitted]
    )
    return site


def _posterior(
    location_F: np.ndarray, scale_F: np.ndarray, squares_F: np.ndarray, count_F: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shrink location and scale towards their distribution over the features of the site.

    The prior of locations is normal and that of scales inverse gamma, both by the method of
    moments. Each posterior mean depends on the other, so they are computed in turn.
    """
    if len(location_F) < 2 or np.var(scale_F) == 0 or np.var(location_F) == 0:
        return location_F, scale_F  # no distribution to learn from
    centre, spread = location_F.mean(), location_F.var(ddof=1)
    mean, variance = scale_F.mean(), scale_F.var(ddof=1)
    shape, rate = 2 + mean**2 / variance, mean + mean**3 / variance
    posterior_F, width_F = location_F, scale_F
    for _ in range(MAX_ITERATIONS):
        before_F, narrow_F = posterior_F, width_F
        weight_F = count_F * spread
        posterior_F = (weight_F * location_F + narrow_F * centre) / (weight_F + narrow_F)
        around_F = squares_F + count_F * (posterior_F - location_F) ** 2
        width_F = (around_F / 2 + rate) / (count_F / 2 + shape - 1)
        steps = np.abs(posterior_F - before_F), np.abs(width_F / narrow_F - 1)
        if max(step.max() for step in steps) < TOLERANCE:
            break
    return posterior_F, width_F
