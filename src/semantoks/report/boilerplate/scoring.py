"""Sentences on models and scores of a run: how they were trained, predicted and compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from semantoks.config import MIN_TESTED, Config, Model, connectivity_candidates
from semantoks.report.names import BASELINES, listed, plural


def model_sentences(config: Config) -> Iterator[str]:
    """Say how models were trained, and which representations need none."""
    for name, model in config.models.items():
        yield _model(name, model, config)
    held_out = [name for name, dataset in config.datasets.items() if dataset.hold_out]
    if held_out and any(m.checkpoint is None and m.training.epochs for m in config.models.values()):
        yield f"Participants of {listed(held_out)} who were held out took no part in pretraining."
    if any(model.recentre == "site" for model in config.models.values()):
        yield "Coupling was measured in the tangent space at the mean of each site, where known."
    if config.finetune.models:
        yield f"For each phenotype, {listed(config.finetune.models)} was also fine-tuned."
    baselines = [
        BASELINES[name] + (" [varoquaux2010]" if "tangent" in name else "")
        for name in config.baselines
    ]
    if baselines and any(dataset.phenotypes for dataset in config.datasets.values()):
        yield f"Baselines were {listed(baselines)}."
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
    datasets = listed(model.datasets or list(config.datasets))
    return (
        f"The model {name} is Brain-Semantoks [gijsen2026], an independent implementation in "
        f"PyTorch [paszke2019] ({plural(model.architecture.depth, 'layer')}, windows of "
        f"{model.architecture.window} volumes), pretrained on the scans of {datasets} for "
        f"{model.training.epochs} epochs in batches of at most {model.training.batch_size} scans, "
        "without phenotypes."
    )


def score_sentences(config: Config, splits: Collection[int], has_sites: bool) -> Iterator[str]:
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
    if probe.harmonize == "combat":
        yield (
            "Features were harmonised across sites by ComBat [johnson2007], fitted to the training "
            "part."
        )
    yield from _splits(config, splits or {probe.repeats}, has_sites)
    if connectivity_candidates(config.baselines, probe.protocol):
        yield (
            "Models were compared with the best kind of connectivity, which was chosen within the "
            "training part."
        )
    of_sites = ", and all of sites that were left out," if has_sites else ""
    if probe.permutations and probe.protocol != "paper":
        yield (
            f"Intervals of balanced accuracy{of_sites} come from the "
            "corrected resampled t-test [nadeau2003]. Intervals of Pearson's r, and those and "
            f"p-values of differences between representations, come from {probe.permutations} "
            "permutations of the phenotype, by which it was also tested whether a representation "
            "predicts the phenotype at all."
        )
    else:
        yield "P-values and intervals come from the corrected resampled t-test [nadeau2003]."
    yield "P-values of differences were adjusted for the number of phenotypes [holm1979]."


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
