# Targets by name: `snakemake timeseries`, `snakemake benchmark_demo`.


onsuccess:
    print_left_out()


onerror:
    print_left_out()


rule timeseries:
    """Regional time series of all data sets, and tables of which scans are excluded."""
    input:
        timeseries_of(CONFIG.datasets),
        expand("results/scans/{dataset}.parquet", dataset=CONFIG.datasets),


rule model:
    """Trained and given models."""
    input:
        model_files(),


rule embeddings:
    """All models' embeddings of all data sets."""
    input:
        expand(
            "results/representations/{embedding}/{dataset}.parquet",
            embedding=EMBEDDINGS,
            dataset=CONFIG.datasets,
        ),


rule benchmarks:
    """The scores of all phenotypes, without the report."""
    input:
        [f"results/benchmarks/{d}/{p}.json" for d, p in PHENOTYPES],


rule importance:
    """What scores lose without each network, and maps of it; see docs/importance.md."""
    input:
        importance_files,


rule scaling:
    """Scores against the number of people in pretraining; see docs/scaling.md."""
    input:
        scaling_files,


rule variants:
    """The scores of each variant beside those of the main analysis."""
    input:
        VARIED,


rule scan_pages:
    """Pages with pictures of all scans, without models or scores."""
    input:
        scan_pages_of(CONFIG.datasets),


for dataset in dict.fromkeys(name for name, _ in PHENOTYPES):

    rule:
        name:
            f"benchmark_{dataset}"
        input:
            [f"results/benchmarks/{d}/{p}.json" for d, p in PHENOTYPES if d == dataset],
