# Inputs of rules/report.smk.

from semantoks.config import CONNECTIVITY


def timeseries_of_shard(w):
    """Time series of one shard; of a data set with events those of whole runs."""
    return timeseries_of([w.dataset])[int(w.shard)]


def scan_pages_of(datasets):
    """Pages of all shards of data sets."""
    return [
        f"results/report/scans/{dataset}/shard-{shard:04d}.html"
        for dataset in datasets
        for shard in range(DATASETS[dataset].shards)
    ]


# What the report draws of single people, if it may: predictions of models and of connectivity.
SHOWN_ROWS = [
    *EMBEDDINGS,
    *(BEST or [name for name in BASELINES if name in CONNECTIVITY]),
]
SHOWN_PREDICTIONS, SHOWN_SCORES = (
    [
        f"results/scores/{dataset}/{phenotype}/{row}{suffix}.parquet"
        for dataset, phenotype in PHENOTYPES
        for row in SHOWN_ROWS
        if CONFIG.report.participants
    ]
    for suffix in ("_predictions", "")
)
SHOWN_PARTICIPANTS = [
    f"results/index/{dataset}/participants.parquet"
    for dataset in dict.fromkeys(dataset for dataset, _ in PHENOTYPES)
    if CONFIG.report.participants
]
