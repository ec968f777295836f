# Inputs and settings of rules/scores.smk.


def representation_files(w, names=None):
    """Files of a representation, or of those that are stacked under its name."""
    names = names or STACKED.get(w.representation, [w.representation])
    return [f"results/representations/{name}/{w.dataset}.parquet" for name in names]


def removed_confounds(w):
    """Confounds that the probe regresses out of the features, if it is asked to."""
    residualise = CONFIG.probe.confounds == "residualise"
    return representation_files(w, ["confounds"]) if residualise else []


def phenotype_of(w):
    return DATASETS[w.dataset].phenotypes[w.phenotype]


def site_column(w):
    return DATASETS[w.dataset].site_column


def group_column(w):
    return DATASETS[w.dataset].group_column


CARDS = [
    f"results/cards/{dataset}/{representation}.json"
    for dataset in dict.fromkeys(dataset for dataset, _ in PHENOTYPES)
    for representation in REPRESENTATIONS
    if representation not in ("confounds", "chance")
]
