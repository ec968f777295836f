# Input of the rule `all`.


def all_artifacts():
    """Everything that leads to the scores.

    Snakemake would not notice that one of them is missing as long as what was made from it exists.
    """
    scored = sorted({dataset for dataset, _ in PHENOTYPES})
    return [
        *timeseries_of(DATASETS),
        *expand("results/scans/{dataset}.parquet", dataset=DATASETS),
        *expand("results/models/{model}/encoder.safetensors", model=MODELS),
        *(f"results/splits/{d}/{p}.parquet" for d, p in PHENOTYPES),
        *(f"results/benchmarks/{d}/{p}.json" for d, p in PHENOTYPES),
        *(f"results/scores/{d}/{p}/{r}.parquet" for d, p in PHENOTYPES for r in SCORED),
        *CARDS,
        *expand(
            "results/representations/{representation}/{dataset}.parquet",
            representation=REPRESENTATIONS,
            dataset=scored,
        ),
    ]
