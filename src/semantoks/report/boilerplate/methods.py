"""The methods of a run, from its configuration."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from semantoks import __version__
from semantoks.config import (
    CONNECTIVITY,
    MIN_TESTED,
    Config,
    Model,
    Parcellation,
)
from semantoks.report.boilerplate.references import REFERENCES, bibliography
from semantoks.report.names import BASELINES, plural

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
CITATION = re.compile(r" ?\[([\w, ]+)\]")


@dataclass(frozen=True)
class Methods:
    """What can be pasted into a paper.

    Attributes
    ----------
    paragraphs : list of str
        With authors and years.
    bibtex : str
        What they cite.
    """

    paragraphs: list[str]
    bibtex: str


def methods(
    config: Config,
    images: Mapping[str, Mapping[str, str]] | None = None,
    *,
    has_motion: bool = True,
    has_sites: bool = False,
    samples: Mapping[str, str] | None = None,
    splits: Collection[int] = (),
) -> Methods:
    """Describe what a configuration does, and cite what it uses.

    Parameters
    ----------
    config : Config
        Without free texts, if these may not be shown.
    images : mapping of str to mapping, optional
        ``engine`` and ``space`` of the preprocessed images, by data set.
    has_motion : bool
        Whether the head motion of any scan is known.
    has_sites : bool
        Whether sites were left out.
    samples : mapping of str to str, optional
        How many scans and participants were used, by data set.
    splits : collection of int
        Numbers of random splits that phenotypes have.
    """
    data = [*_data(config, images or {}, has_motion), *_samples(config, samples or {})]
    parts = data, _models(config), _scores(config, splits, has_sites)
    paragraphs = [" ".join(part) for part in parts]
    keys = [key for text in paragraphs for cited in CITATION.findall(text) for key in _keys(cited)]
    return Methods([CITATION.sub(_in_words, text) for text in paragraphs], bibliography(keys))


def _keys(cited: str) -> list[str]:
    return cited.split(", ")


def _in_words(match: re.Match[str]) -> str:
    return f" ({'; '.join(REFERENCES[key].cited for key in _keys(match[1]))})"


def _data(
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
        yield f"Simulated: {_listed(simulated)}."
    if "bids" in by_source:
        yield _preprocessing(config, _listed(by_source["bids"]))
    for name in by_source.get("fmriprep", ()):
        yield _given_images(name, images.get(name, {}))
    if "timeseries" in by_source:
        given = _listed(by_source["timeseries"])
        yield f"Of {given}, time series averaged over {_atlas(config)} were given."
    if "bids" in by_source or "fmriprep" in by_source:
        yield f"BOLD signals were averaged over {_atlas(config)}."
    yield from _cleaning(config.parcellation, bool(set(by_source) - {"timeseries"}), has_motion)


def _given_images(name: str, images: Mapping[str, str]) -> str:
    """Say which images a data set starts from, as far as they say it themselves."""
    engine, space = images.get("engine", ""), images.get("space", "")
    cited = " [esteban2019]" if engine.lower().startswith("fmriprep") else ""
    by = f" of {engine}{cited}" if engine else ""
    return f"Of {name}, preprocessed images{by} were given{f' in {space} space' if space else ''}."


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


def _cleaning(settings: Parcellation, has_images: bool, has_motion: bool) -> Iterator[str]:
    """Say how time series are cleaned, and which scans are excluded."""
    band = f"band-pass filtered ({settings.high_pass:g} to {settings.low_pass:g} Hz)"
    if has_images and settings.confounds != "none":
        yield f"Confounds of the images were regressed out: {_confounds(settings)}."
    if has_images and settings.min_coverage:
        yield (
            f"Regions of which the brain mask covered less than {settings.min_coverage:.0%} were "
            "treated as missing."
        )
    yield (
        f"Time series were {band}, resampled to a TR of {settings.repetition_time:g} s and "
        "z-scored per region."
    )
    of_motion = [
        f"mean framewise displacement above {settings.max_mean_fd:g} mm [power2012]",
        f"more than {settings.max_censored:.0%} censored volumes",
    ]
    limits = [
        *(of_motion if has_motion else ()),
        f"data in less than {settings.min_scan_coverage:.0%} of the regions",
        f"less than {settings.min_seconds:g} s",
        f"fewer than {settings.min_dof:g} degrees of freedom",
    ]
    if settings.min_tsnr is not None:
        limits.append(f"a temporal signal-to-noise ratio below {settings.min_tsnr:g}")
    if settings.max_dvars is not None:
        limits.append(f"DVARS above {settings.max_dvars:g} %")
    yield f"Scans were excluded with {_listed(limits, 'or')}."
    if not has_motion:
        yield "Head motion was not known from the scans, so none was excluded for it."


def _samples(config: Config, samples: Mapping[str, str]) -> Iterator[str]:
    """Say what was left out by hand, and what was used."""
    by_hand = [name for name, dataset in config.datasets.items() if dataset.exclude]
    if by_hand:
        yield f"Scans of {_listed(by_hand)} that had been listed beforehand were left out."
    if samples:
        used = [f"{text} of {name}" for name, text in samples.items()]
        yield f"This left {_listed(used)}."


def _confounds(settings: Parcellation) -> str:
    if settings.confounds == "36p":
        return "36 parameters [satterthwaite2013]"
    text = f"the strategy “{settings.confounds}” of nilearn [wang2024]"
    if settings.confounds == "ica_aroma":
        return text
    return f"{text} and {REGRESSORS[settings.motion]} regressors of head motion"


def _models(config: Config) -> Iterator[str]:
    """Say how models were trained, and which representations need none."""
    for name, model in config.models.items():
        yield _model(name, model, config)
    baselines = [
        BASELINES[name] + (" [varoquaux2010]" if "tangent" in name else "")
        for name in config.baselines
    ]
    if baselines and any(dataset.phenotypes for dataset in config.datasets.values()):
        yield f"Baselines were {_listed(baselines)}."
        if "confounds" in config.baselines:
            yield (
                "Confounds are age, sex, site, head motion and scan length, as far as they are "
                "known, without the phenotype itself."
            )


def _model(name: str, model: Model, config: Config) -> str:
    if model.checkpoint:
        return f"The model {name} is a pretrained Brain-Semantoks model [gijsen2026] as given."
    if not model.training.epochs:
        return f"The model {name} is Brain-Semantoks [gijsen2026] with random weights."
    datasets = _listed(model.datasets or list(config.datasets))
    return (
        f"The model {name} is Brain-Semantoks [gijsen2026], an independent implementation in "
        f"PyTorch [paszke2019] ({plural(model.architecture.depth, 'layer')}, windows of "
        f"{model.architecture.window} volumes), pretrained on the scans of {datasets} for "
        f"{model.training.epochs} epochs in batches of at most {model.training.batch_size} scans, "
        "without phenotypes."
    )


def _scores(config: Config, splits: Collection[int], has_sites: bool) -> Iterator[str]:
    """Say how representations were scored and compared."""
    if not any(dataset.phenotypes for dataset in config.datasets.values()):
        return
    probe = config.probe
    if probe.protocol != "paper":
        yield (
            "Phenotypes were predicted by logistic or ridge regression with L2 penalty "
            f"[pedregosa2011], whose strength was chosen by {probe.inner_folds}-fold "
            "cross-validation within the training part."
        )
    if probe.protocol != "paper" and any("full" in m.readouts for m in config.models.values()):
        yield (
            f"For a “full” embedding, the weighted linear kernels of its blocks ({_blocks(config)})"
            " were summed. Where the blocks of lower weight alone had a cross-validation loss at "
            "least a tenth lower within the training part, only these were used."
        )
    if probe.protocol != "exact":
        yield "The head of Brain-Semantoks [gijsen2026], trained on windows, was scored, too."
    if probe.confounds == "residualise":
        yield (
            "Age, sex, site, head motion and scan length were regressed out of the features, "
            "fitted to the training part."
        )
    yield from _splits(config, splits or {probe.repeats}, has_sites)
    if len([name for name in config.baselines if name in CONNECTIVITY]) > 1:
        yield (
            "Models were compared with the best kind of connectivity, which was chosen within the "
            "training part."
        )
    if probe.permutations and probe.protocol != "paper":
        yield (
            "Intervals of balanced accuracy, and all of sites that were left out, come from the "
            "corrected resampled t-test [nadeau2003]. Intervals of Pearson's r, and differences "
            f"between representations, come from {probe.permutations} permutations of the "
            "phenotype."
        )
    else:
        yield "P-values and intervals come from the corrected resampled t-test [nadeau2003]."
    yield "P-values were adjusted for the number of phenotypes [holm1979]."


def _splits(config: Config, repeats: Collection[int], has_sites: bool) -> Iterator[str]:
    """Say how participants were split: at random, as a file says, and by site."""
    phenotypes = [p for dataset in config.datasets.values() for p in dataset.phenotypes.values()]
    is_given = [bool(phenotype.splits_file) for phenotype in phenotypes]
    if any(is_given):
        which = "" if all(is_given) else " of some phenotypes"
        yield f"Participants{which} were split as published or given in a file."
    if not all(is_given):
        others = "those of the others" if any(is_given) else "Participants"
        sizes = [p.test_people or p.train_people or p.validation_people for p in phenotypes]
        part = (
            f"{config.splits.test_fraction:.0%} of them in the test part (at least {MIN_TESTED}, "
            "where enough were left to train on)"
        )
        yield (
            f"{others[0].upper()}{others[1:]} were split at random {_times(repeats)}, with "
            f"{'parts of given sizes' if all(sizes) else part}."
        )
    yield "All representations were scored on the same splits."
    if has_sites:
        yield "Sites with enough participants were also left out, one at a time."


def _blocks(config: Config) -> str:
    """List the blocks of full embeddings."""
    full = [model.blocks for model in config.models.values() if "full" in model.readouts]
    return ", ".join(dict.fromkeys(block for blocks in full for block in blocks))


def _times(counts: Collection[int]) -> str:
    low, high = min(counts), max(counts)
    return plural(low, "time") if low == high else f"{low} to {high} times"


def _listed(names: list[str], word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
