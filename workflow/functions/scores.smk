# Inputs and settings of rules/scores.smk.

from types import SimpleNamespace

from semantoks.config import BEST_CONNECTIVITY, PAPER_SUFFIX, row_of_seconds, split_row
from semantoks.config.encoders import find_encoder, package_of


def representation_files(w, names=None):
    """Files of a representation, or of those that are stacked or combined under its name."""
    if names is None:
        seconds = split_row(w.representation.removesuffix(PAPER_SUFFIX))[1]
        names = [row_of_seconds(n, seconds) for n in members_of(w.representation)]
    return [
        f"results/representations/{name}/{SHARING.representation(w.dataset, name)}.parquet"
        for name in names
    ]


def members_of(row):
    """Representations that a row consists of, or is chosen among; one of most rows."""
    name = split_row(row.removesuffix(PAPER_SUFFIX))[0]
    chosen = {BEST_CONNECTIVITY: CANDIDATES}
    return (STACKED | COMBINED | chosen).get(name, [name])


def removed_confounds(w):
    """Confounds that the probe regresses out of the features, if it is asked to."""
    residualise = config_of(w).probe.confounds == "residualise"
    return representation_files(w, ["confounds"]) if residualise else []


def phenotype_of(w):
    return DATASETS[w.dataset].phenotypes[w.phenotype]


# Data sets whose phenotypes share their splits, and are scored by one job per row. The paper's head
# cannot score all of them, so its rows have a job per phenotype.
SHARING_SPLITS = {
    name: [*data.phenotypes]
    for name, data in DATASETS.items()
    if SHARING.config_of(name).splits.shared and len(data.phenotypes) > 1
}


def in_dataset(dataset, function):
    """The same function of the wildcards, for a rule that has no wildcard of the data set."""
    return lambda w: function(SimpleNamespace(**dict(w.items()), dataset=dataset))


def probe_settings(w):
    """What the rows of a data set, or of one of its phenotypes, depend on beside their inputs."""
    phenotypes = [w.phenotype] if hasattr(w, "phenotype") else SHARING_SPLITS[w.dataset]
    return settings(
        "probe",
        probe=config_of(w).probe.of_row(w.representation),
        combined=split_row(w.representation)[0] in COMBINED,
        columns={
            name: DATASETS[w.dataset].phenotypes[name].column for name in phenotypes
        },
        **{key: column(w) for key, column in CONFOUND_COLUMNS.items()},
    )(w)


def encoder_of(w):
    """Name of the encoder of a representation, of whole scans or of their first seconds."""
    return config_of(w).representations[split_row(w.encoded)[0]].encoder


def files_of_given_row(w):
    """Files of a representation that the main analysis or a variant names."""
    given = config_of(w).representations[w.given]
    # The files are those of the people, so a variant has no files of its own name.
    return given.files(w.dataset.partition(MARK)[0])


def finetuned_folder(w):
    """Folder of the model that is fine-tuned."""
    return f"results/models/{SHARING.model(w.dataset, FINETUNED[w.finetuned])}"


def finetune_training(w):
    config = config_of(w)
    return config.finetune.training(config.probe.repeats)


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
    folders = {
        row: SHARING.scores(w.dataset, w.phenotype, members_of(row)) for row in rows
    }
    return [
        f"results/scores/{folder}/{w.phenotype}/{row}{suffix}.parquet"
        for row, folder in folders.items()
    ]


def candidates_of(w):
    """Rows that the best connectivity is chosen from; their names end as its own does."""
    return [f"{name}{w.best.removeprefix(BEST_CONNECTIVITY)}" for name in CANDIDATES]


def scores_of(w):
    """Scores of a phenotype, one file per row of its table or point of its curves."""
    return files_of_rows(w, "", rows_of(w.dataset, w.phenotype))


def scans_of_curves(w):
    """Lengths of whole scans, where there are rows of their first seconds."""
    return [scans_of(w.dataset)] if of_seconds(w.dataset, SCORED) else []


def splits_of(w):
    """Splits of a phenotype."""
    name = SHARING.split(w.dataset, w.phenotype)
    return f"results/splits/{name}/{w.phenotype}.parquet"


def splits_of_all(dataset):
    """Splits of each phenotype of a data set."""
    names = {p: SHARING.split(dataset, p) for p in SHARING_SPLITS[dataset]}
    return [f"results/splits/{name}/{p}.parquet" for p, name in names.items()]


def followed_splits(w):
    """Splits of the main analysis that a variant takes as far as it can; nothing otherwise."""
    name = SHARING.followed(w.dataset, w.phenotype)
    return f"results/splits/{name}/{w.phenotype}.parquet" if name else []


def variants_of(dataset, phenotype):
    """Data sets of those variants in which a phenotype has other scores."""
    varied = [f"{dataset}~{variant}" for variant in VARIANTS]
    return [
        name
        for name in varied
        for rows in [rows_of(dataset, phenotype)]
        if any(SHARING.scores(name, phenotype, members_of(row)) == name for row in rows)
    ]


def benchmarks_of_variants(w):
    """Comparisons of a phenotype in the main analysis and in its variants."""
    names = [w.dataset, *variants_of(w.dataset, w.phenotype)]
    return [f"results/benchmarks/{name}/{w.phenotype}.json" for name in names]


def scores_of_variants(w):
    """Scores of a phenotype in the main analysis and in its variants, each file once."""
    names = [w.dataset, *variants_of(w.dataset, w.phenotype)]
    rows = rows_of(w.dataset, w.phenotype)
    return list(
        dict.fromkeys(
            f"results/scores/{SHARING.scores(name, w.phenotype, members_of(row))}/"
            f"{w.phenotype}/{row}.parquet"
            for name in names
            for row in rows
        )
    )


# Phenotypes that a variant changes the scores of.
VARIED = [
    f"results/variants/{dataset}/{phenotype}.json"
    for dataset, phenotype in PHENOTYPES
    if variants_of(dataset, phenotype)
]
without_effect = [
    name
    for name in VARIANTS
    if not any(f"{d}~{name}" in variants_of(d, p) for d, p in PHENOTYPES)
]
if without_effect:
    stop(
        f"{CONFIG_NAME}: variants.{without_effect[0]} changes no score of any phenotype. Change"
        " something that they depend on, or remove the variant."
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


# A card shows what ComBat does to sites if any analysis uses it.
USES_COMBAT = any(
    analysis.probe.harmonize == "combat" for analysis in (CONFIG, *VARIANTS.values())
)
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
