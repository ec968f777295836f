"""Sentences on the data of a run: where they start, and how they become time series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from semantoks import __version__
from semantoks.config import Config, Parcellation
from semantoks.config.parcellation import Strategy
from semantoks.report.names import listed

REGRESSORS = {"basic": 6, "power2": 12, "derivatives": 12, "full": 24}  # of motion
# By the beginning of an atlas's name.
ATLASES = {
    "seitzman": ("the Seitzman atlas of 300 regions", "seitzman2020"),
    "schaefer": ("the Schaefer atlas", "schaefer2018"),
    "semantoks457": (
        "an atlas of 457 cortical, subcortical and cerebellar regions",
        "schaefer2018, tian2020, buckner2011",
    ),
    "cc200": ("the Craddock atlas of 200 regions", "craddock2012"),
}


def data_sentences(
    config: Config, images: Mapping[str, Mapping[str, str]], has_motion: bool
) -> Iterator[str]:
    """Say where the data sets start, and how they become regional time series."""
    by_source: dict[str, list[str]] = {}
    for name, dataset in config.datasets.items():
        by_source.setdefault(dataset.source, []).append(name)
    in_bids = " on data sets in BIDS [gorgolewski2016]" if "bids" in by_source else ""
    yield (
        f"Data were analysed with Semantoks {__version__}, a Snakemake workflow "
        f"[molder2021]{in_bids}."
    )
    simulated = [name for name, dataset in config.datasets.items() if dataset.simulate]
    if simulated:
        yield f"Simulated: {listed(simulated)}."
    if "bids" in by_source:
        yield _preprocessing(config, listed(by_source["bids"]))
    for name in by_source.get("fmriprep", ()):
        yield _given_images(name, images.get(name, {}))
    if "timeseries" in by_source:
        given = listed(by_source["timeseries"])
        yield f"The time series of {given}, averaged over {_atlas(config)}, were given."
    if "bids" in by_source or "fmriprep" in by_source:
        yield f"BOLD signals were averaged over {_atlas(config)}."
    yield from _cleaning(config)
    yield from _exclusions(config, has_motion)


def _given_images(name: str, images: Mapping[str, str]) -> str:
    """Say which images a data set starts from, as far as they say it themselves."""
    engine, space = images.get("engine", ""), images.get("space", "")
    cited = " [esteban2019]" if engine.lower().startswith("fmriprep") else ""
    by = f" by {engine}{cited}" if engine else ""
    in_space = f", in {space} space," if space else ""
    return f"The images of {name}{in_space} were given as preprocessed{by}."


def _preprocessing(config: Config, names: str) -> str:
    if config.preprocessing.engine == "fmriprep":
        return f"The raw images of {names} were preprocessed with fMRIPrep [esteban2019]."
    return (
        f"The raw images of {names} were preprocessed with the workflow's built-in engine: "
        "realignment, slice-timing correction where the timing is known, registration of BOLD to "
        "T1w images and of these to the MNI152 template [fonov2011] with ANTs [avants2011], and "
        f"one interpolation to voxels of {config.preprocessing.voxel_size:g} mm. There was no "
        "correction of susceptibility distortion and no surface reconstruction."
    )


def _atlas(config: Config) -> str:
    for start, (words, keys) in ATLASES.items():
        if config.atlas.startswith(start) and config.atlas not in config.atlases:
            return f"{words} [{keys}]"
    return f"the regions of the atlas “{config.atlas}”"


def _cleaning(config: Config) -> Iterator[str]:
    """Say how time series are cleaned."""
    settings = config.parcellation
    band = f"band-pass filtered ({settings.high_pass:g} to {settings.low_pass:g} Hz)"
    of_strategy: dict[Strategy, list[str]] = {}
    for name, dataset in config.datasets.items():
        if dataset.source != "timeseries":
            of_strategy.setdefault(dataset.confounds or settings.confounds, []).append(name)
    for strategy, names in of_strategy.items():
        of = "the images" if len(of_strategy) == 1 else f"the images of {listed(names)}"
        if strategy != "none":
            yield f"Confounds of {of} were regressed out: {_confounds(strategy, settings)}."
    if of_strategy and settings.min_coverage:
        yield (
            f"Regions of which the brain mask covered less than {settings.min_coverage:.0%} were "
            "treated as missing."
        )
    yield (
        f"Time series were {band}, resampled to a TR of {settings.repetition_time:g} s and "
        "z-scored per region."
    )


def _exclusions(config: Config, has_motion: bool) -> Iterator[str]:
    """Say which scans are excluded; other limits hold for runs of a task."""
    tasks = [name for name, dataset in config.datasets.items() if dataset.events is not None]
    resting = [name for name in config.datasets if name not in tasks]
    if resting:
        of = f" of {listed(resting)}" if tasks else ""
        limits = _limits(config.parcellation, has_motion)
        yield f"Scans{of} with {listed(limits, 'or')} were excluded."
    if tasks:
        limits = _limits(config.parcellation.of_task_runs(), has_motion)
        yield (
            f"Runs of {listed(tasks)} with {listed(limits, 'or')} were excluded; the others were "
            "cut into blocks by the events of their task."
        )
    if not has_motion:
        yield "Head motion was not known from the scans, so none was excluded for it."


def _limits(settings: Parcellation, has_motion: bool) -> list[str]:
    """List what excludes a scan; limits of zero exclude none."""
    of_motion = [
        f"mean framewise displacement above {settings.max_mean_fd:g} mm [power2012]",
        f"more than {settings.max_censored:.0%} censored volumes",
    ]
    limits = [
        *(of_motion if has_motion else ()),
        f"data in less than {settings.min_scan_coverage:.0%} of the regions",
    ]
    if settings.min_seconds:
        limits.append(f"less than {settings.min_seconds:g} s")
    if settings.min_dof:
        noun = "degree" if settings.min_dof == 1 else "degrees"
        limits.append(f"fewer than {settings.min_dof:g} {noun} of freedom")
    if settings.min_tsnr is not None:
        limits.append(f"a temporal signal-to-noise ratio below {settings.min_tsnr:g}")
    if settings.max_dvars is not None:
        limits.append(f"DVARS above {settings.max_dvars:g} %")
    return limits


def sample_sentences(config: Config, samples: Mapping[str, str]) -> Iterator[str]:
    """Say what was left out by hand, and what was used."""
    by_hand = [name for name, dataset in config.datasets.items() if dataset.exclude]
    if by_hand:
        yield f"Scans of {listed(by_hand)} that had been listed beforehand were left out."
    if samples:
        used = [f"{text} of {name}" for name, text in samples.items()]
        yield f"This left {listed(used)}."


def _confounds(strategy: Strategy, settings: Parcellation) -> str:
    if strategy == "36p":
        return "36 parameters [satterthwaite2013]"
    text = f"the strategy “{strategy}” of nilearn [wang2024]"
    if strategy == "ica_aroma":
        return text
    return f"{text}, with {REGRESSORS[settings.motion]} regressors of head motion"
