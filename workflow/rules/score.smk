# From representations to scores, tables and the report.


rule split:
    input:
        participants="results/index/{dataset}/participants.parquet",
        timeseries=lambda w: timeseries_of([w.dataset]),
    output:
        "results/splits/{dataset}/{phenotype}.parquet",
    log:
        "logs/splits/{dataset}/{phenotype}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings(
            "split",
            phenotype=lambda w: w.phenotype,
            kind=lambda w: DATASETS[w.dataset]["phenotypes"][w.phenotype],
            splits=config["splits"],
        ),
    shell:
        "python -m semantoks split --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}"
        " --participants {input.participants:q} --timeseries {input.timeseries:q}"
        " --out {output:q} 2>&1 | tee {log:q}"


rule probe:
    input:
        features="results/representations/{representation}/{dataset}.parquet",
        splits="results/splits/{dataset}/{phenotype}.parquet",
    output:
        "results/scores/{dataset}/{phenotype}/{representation}.json",
    log:
        "logs/scores/{dataset}/{phenotype}/{representation}.log",
    conda:
        "../../envs/tables.yaml"
    resources:
        mem_mb=8000,
    params:
        settings=settings("probe", probe=config["probe"]),
    shell:
        "python -m semantoks probe --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}' '{wildcards.representation}"
        " --representation {wildcards.representation} --features {input.features:q}"
        " --splits {input.splits:q} --out {output:q} 2>&1 | tee {log:q}"


rule benchmark:
    input:
        expand(
            "results/scores/{{dataset}}/{{phenotype}}/{representation}.json",
            representation=REPRESENTATIONS,
        ),
    output:
        "results/benchmarks/{dataset}/{phenotype}.json",
    log:
        "logs/benchmarks/{dataset}/{phenotype}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("benchmark"),
    shell:
        "python -m semantoks benchmark --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}"
        " --dataset {wildcards.dataset} --scores {input:q} --out {output:q}"
        " 2>&1 | tee {log:q}"


rule report:
    input:
        benchmarks=[f"results/benchmarks/{d}/{p}.json" for d, p in TASKS],
        timeseries=timeseries_of(DATASETS),
        metrics=expand("results/models/{model}/metrics.parquet", model=MODELS),
    output:
        "results/report/index.html",
    log:
        "logs/report.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("report", report=config["report"], config=config),
    shell:
        "python -m semantoks report --settings {params.settings:q}"
        " --benchmarks {input.benchmarks:q} --timeseries {input.timeseries:q}"
        " --metrics {input.metrics:q} --out {output:q} 2>&1 | tee {log:q}"
