# Input of the rule `all`, and what is printed at the end.

from semantoks.commands.left_out import left_out_lines
from semantoks.config.preflight.notes import table_notes


def print_left_out():
    """Print who and what is not used; jobs of a cluster leave that to the main process."""
    if workflow.is_main_process:
        for name, dataset in CONFIG.datasets.items():
            for line in left_out_lines(Path("results"), name):
                print(printable(line), file=sys.stderr)
            for sentence in table_notes(dataset, CONFIG):
                print(printable(f"data set {name}: {sentence}"), file=sys.stderr)


def model_files():
    """Weights of all models, and the connectomes that their readouts need."""
    connectomes = [
        name
        for name, readout in EMBEDDINGS.values()
        if CONFIG.models[name].needs_connectome(readout)
    ]
    return [
        *expand("results/models/{model}/encoder.safetensors", model=CONFIG.models),
        *expand(
            "results/models/{model}/connectome.safetensors",
            model=dict.fromkeys(connectomes),
        ),
    ]


def all_artifacts():
    """Everything that leads to the scores.

    Snakemake would not notice that one of them is missing as long as what was made from it exists.
    """
    scored = sorted({dataset for dataset, _ in PHENOTYPES})
    return [
        *timeseries_of(CONFIG.datasets),
        *(path for name in CONFIG.datasets for path in scored_timeseries(name)),
        *expand("results/scans/{dataset}.parquet", dataset=CONFIG.datasets),
        *model_files(),
        *(f"results/splits/{d}/{p}.parquet" for d, p in PHENOTYPES),
        *(f"results/benchmarks/{d}/{p}.json" for d, p in PHENOTYPES),
        *(
            f"results/scores/{d}/{p}/{row}.parquet"
            for d, p in PHENOTYPES
            for row in rows_of(d, p)
        ),
        *CARDS,
        *IMPORTANCES,
        *SCALING,
        *VARIED,
        *scan_pages_of(CONFIG.datasets),
        *(
            f"results/representations/{name}/{dataset}.parquet"
            for dataset in scored
            for name in [*REPRESENTATIONS, *of_seconds(dataset, REPRESENTATIONS)]
        ),
    ]
