# Named targets, so that nobody types a path: `snakemake timeseries`, `snakemake benchmark_demo`.


rule timeseries:
    input:
        timeseries_of(DATASETS),


rule model:
    input:
        expand("results/models/{model}/encoder.safetensors", model=MODELS),


rule embeddings:
    input:
        expand(
            "results/representations/{embedding}/{dataset}.parquet",
            embedding=EMBEDDINGS,
            dataset=DATASETS,
        ),


rule benchmarks:
    input:
        rules.report.input.benchmarks,


for dataset in DATASETS:

    rule:
        name:
            f"benchmark_{dataset}"
        input:
            [f"results/benchmarks/{d}/{p}.json" for d, p in TASKS if d == dataset],
