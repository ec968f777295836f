# Inputs and settings of rules/scores.smk.

from semantoks.config import BEST_CONNECTIVITY, PAPER_SUFFIX


def representation_files(w, names=None):
    """Files of a representation, or of those that are stacked or combined under its name."""
    scored = None if names else w.representation.removesuffix(PAPER_SUFFIX)
    names = names or (STACKED | COMBINED).get(scored, [scored])
    return [f"results/representations/{name}/{w.dataset}.parquet" for name in names]


def removed_confounds(w):
    """Confounds that the probe regresses out of the features, if it is asked to."""
    residualise = CONFIG.probe.confounds == "residualise"
    return representation_files(w, ["confounds"]) if residualise else []


def phenotype_of(w):
    return DATASETS[w.dataset].phenotypes[w.phenotype]


def rows_of(phenotype):
    """Names of everything that is scored on a phenotype."""
    return SCORED + CONFIG.probe.rows_by_paper(REPRESENTATIONS, phenotype.kind)


def files_of_rows(w, suffix, rows):
    """Files of some rows of a phenotype: scores, or what is beside them."""
    folder = f"results/scores/{w.dataset}/{w.phenotype}"
    return [f"{folder}/{row}{suffix}.parquet" for row in rows]


def candidates_of(w):
    """Rows that the best connectivity is chosen from; their names end as its own does."""
    return [f"{name}{w.best.removeprefix(BEST_CONNECTIVITY)}" for name in CANDIDATES]


def scores_of(w):
    """Scores of a phenotype, one file per row of its table."""
    return files_of_rows(w, "", rows_of(phenotype_of(w)))


def column_named_by(key):
    """Names of a column of the table of participants, as a function of the wildcards."""
    return lambda w: getattr(DATASETS[w.dataset], key)


def group_column(w):
    return DATASETS[w.dataset].grouped_by


def has_blocks(w):
    return DATASETS[w.dataset].events is not None


CONFOUND_COLUMNS = {key: column_named_by(key) for key in ConfoundColumns.model_fields}


def of_confounds_only(column):
    """The same for the representation that uses it; no change to it re-runs the others."""
    return lambda w: column(w) if w.baseline == "confounds" else None


CARDS = [
    f"results/cards/{dataset}/{representation}.json"
    for dataset in dict.fromkeys(dataset for dataset, _ in PHENOTYPES)
    for representation in REPRESENTATIONS
    if representation not in ("confounds", "chance")
]

# What the report says of the confounds of each data set with phenotypes.
CONFOUNDS = [
    f"results/representations/confounds/{dataset}.parquet"
    for dataset in dict.fromkeys(dataset for dataset, _ in PHENOTYPES)
    if "confounds" in BASELINES
]
