"""The protocol of scores and what it needs of the data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semantoks.config.readouts import OF_ENCODER
from semantoks.config.scores import FITTED, MIN_VOLUMES

if TYPE_CHECKING:
    from semantoks.config.schema import Config


def require_protocol(config: Config) -> None:
    """Give the paper's head windows as they are, and validation participants."""
    protocol = config.probe.protocol
    if protocol == "exact":
        return
    if protocol == "paper":
        _require_windows(config)
    if config.probe.confounds != "none":
        raise ValueError(
            f"probe.protocol is {protocol}, which scores windows as they are, but "
            "probe.confounds regresses them out; take that out, or leave `protocol: exact`"
        )
    if config.probe.harmonize != "none":
        raise ValueError(
            f"probe.protocol is {protocol}, which scores windows as they are, but "
            "probe.harmonize changes them; take that out, or leave `protocol: exact`"
        )
    for name, dataset in config.datasets.items():
        for key, phenotype in dataset.phenotypes.items():
            if phenotype.validation_people == 0 and phenotype.kind == "classification":
                raise ValueError(
                    f"datasets.{name}.phenotypes.{key}.validation_people is 0, but the paper's "
                    f"head (probe.protocol: {protocol}) chooses its learning rate on "
                    "validation participants; raise it, or leave `protocol: exact`"
                )


def _require_windows(config: Config) -> None:
    """Refuse what the paper's head alone cannot score."""
    # These are fitted to the training participants of a split by the exact protocol.
    odd = [f"baselines has {name}" for name in config.baselines if name in FITTED]
    odd += [
        f"models.{name}.readouts has {readout}, which is of a whole scan"
        for name, model in config.models.items()
        for readout in model.readouts
        if readout not in OF_ENCODER
    ]
    if odd:
        raise ValueError(
            f"probe.protocol is paper, which scores windows as they are, but {odd[0]}; take "
            "that out, or leave `protocol: exact`"
        )


def require_sites_to_recentre(config: Config) -> None:
    """Require for `recentre: site` the site of each scored data set."""
    for name, model in config.models.items():
        scored = {key: data for key, data in config.datasets.items() if data.phenotypes}
        without = [key for key, data in scored.items() if data.site_column is None]
        if model.recentre == "site" and without:
            raise ValueError(
                f"models.{name}.recentre is site, but datasets.{without[0]} has no "
                "'site_column'; name the column of the site, or leave `recentre: none`"
            )


def require_sites_to_harmonize(config: Config) -> None:
    """Require for ComBat the site of each scored data set."""
    for name, dataset in config.datasets.items():
        if config.probe.harmonize == "none" or not dataset.phenotypes:
            continue
        if dataset.site_column is None:
            raise ValueError(
                f"probe.harmonize is {config.probe.harmonize}, but datasets.{name} has no "
                "'site_column'; name the column of the site, or leave `harmonize: none`"
            )


def require_volumes(config: Config) -> None:
    """Refuse first seconds of scans with too few volumes."""
    tr = config.parcellation.repetition_time
    for seconds in config.probe.seconds:
        volumes = round(seconds / tr)
        if volumes < MIN_VOLUMES:
            raise ValueError(
                f"probe.seconds has {seconds:g}, which is {volumes} volumes of {tr:g} s "
                f"(parcellation.repetition_time); at least {MIN_VOLUMES} are needed"
            )


def require_activity(config: Config) -> None:
    """Regions of a whole run are z-scored, so their means are zero."""
    scored = {name: data for name, data in config.datasets.items() if data.phenotypes}
    whole = [name for name, data in scored.items() if data.events is None]
    if "mean_activity" in config.baselines and whole:
        raise ValueError(
            f"baselines has mean_activity, but datasets.{whole[0]} has no 'events': the mean "
            "of a region over a whole z-scored run is zero; take mean_activity out, or cut the "
            "runs into blocks by `events`"
        )
