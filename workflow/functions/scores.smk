# Inputs and settings of rules/scores.smk.

from semantoks.config import BEST_CONNECTIVITY, PAPER_SUFFIX, row_of_seconds, split_row
from semantoks.config.encoders import find_encoder, package_of


def representation_files(w, names=None):
    """Files of a representation, or of those that are stacked or combined under its name."""
    if names is None:
        scored, seconds = split_row(w.representation.removesuffix(PAPER_SUFFIX))
        members = (STACKED | COMBINED).get(scored, [scored])
        names = [row_of_seconds(n, seconds) for n in members]
    return [f"results/representations/{name}/{w.dataset}.parquet" for name in names]


def removed_confounds(w):
    """Confounds that the probe regresses out of the features, if it is asked to."""
    residualise = CONFIG.probe.confounds == "residualise"
    return representation_files(w, ["confounds"]) if residualise else []


def phenotype_of(w):
    return DATASETS[w.dataset].phenotypes[w.phenotype]


def encoder_of(w):
    """Name of the encoder of a representation, of whole scans or of their first seconds."""
    return GIVEN_ROWS[split_row(w.encoded)[0]].encoder


def of_seconds(dataset, names):
    """Names for the first seconds of scans; blocks of a task have a length of their own.

    Nor are there such rows of what comes from a file, which is of whole scans.
    """
    members = STACKED | COMBINED
    whole = [n for n in names if not set(FROM_FILES).isdisjoint(members.get(n, [n]))]
    names = [name for name in names if name not in whole]
    return [] if DATASETS[dataset].events else CONFIG.probe.rows_of_seconds(names)


def rows_of(dataset, phenotype):
    """Names of everything that is scored on a phenotype."""
    kind = DATASETS[dataset].phenotypes[phenotype].kind
    by_paper = CONFIG.probe.rows_by_paper(REPRESENTATIONS, kind)
    return [*SCORED, *FINETUNED, *by_paper, *of_seconds(dataset, SCORED)]


def files_of_rows(w, suffix, rows):
    """Files of some rows of a phenotype: scores, or what is beside them."""
    folder = f"results/scores/{w.dataset}/{w.phenotype}"
    return [f"{folder}/{row}{suffix}.parquet" for row in rows]


def candidates_of(w):
    """Rows that the best connectivity is chosen from; their names end as its own does."""
    return [f"{name}{w.best.removeprefix(BEST_CONNECTIVITY)}" for name in CANDIDATES]


def scores_of(w):
    """Scores of a phenotype, one file per row of its table or point of its curves."""
    return files_of_rows(w, "", rows_of(w.dataset, w.phenotype))


def scans_of_curves(w):
    """Lengths of whole scans, where there are rows of their first seconds."""
    return (
        [f"results/scans/{w.dataset}.parquet"] if of_seconds(w.dataset, SCORED) else []
    )


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


def rows_of_scaling(w):
    """Rows of whole models with parts of the people, and of these parts."""
    wholes = [row for row, (name, _) in EMBEDDINGS.items() if MODELS[name].scaling]
    return [*wholes, *SCALED_EMBEDDINGS]


# Curves of scores against pretraining people.
SCALING = [f"results/scaling/{d}/{p}.json" for d, p in PHENOTYPES if SCALED]


def scaling_files(w):
    """Everything of the target `scaling`."""
    if not SCALING:
        stop(
            "There is no scaling to draw. Set `scaling: [0.1, 0.3, 1]` of a model in "
            f"{CONFIG_NAME}, with a phenotype to score."
        )
    return SCALING


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
