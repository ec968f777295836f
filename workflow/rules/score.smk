# From representations to scores, tables and the report.


rule split:
    input:
        participants="results/index/{dataset}/participants.parquet",
        scans="results/scans/{dataset}.parquet",
        fixed=splits_file,
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
            task=slice_of_task(*PUBLICATION),
            site_column=lambda w: DATASETS[w.dataset]["site_column"],
            group_column=lambda w: DATASETS[w.dataset]["group_column"],
            splits=config["splits"],
        ),
    shell:
        "python -m semantoks split --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}"
        " --participants {input.participants:q} --scans {input.scans:q}"
        " --out {output:q} 2>&1 | tee {log:q}"


rule probe:
    input:
        features=representation_files,
        confounds=removed_confounds,
        splits="results/splits/{dataset}/{phenotype}.parquet",
    output:
        scores="results/scores/{dataset}/{phenotype}/{representation}.parquet",
        predictions="results/scores/{dataset}/{phenotype}/{representation}_predictions.parquet",
    log:
        "logs/scores/{dataset}/{phenotype}/{representation}.log",
    conda:
        f"../../envs/{PROBE_ENVIRONMENT}.yaml"
    resources:
        mem_mb=memory(8000),
    params:
        settings=settings(
            "probe",
            probe=config["probe"],
            column=lambda w: task_of(w)["column"],
            site_column=lambda w: DATASETS[w.dataset]["site_column"],
        ),
    shell:
        "python -m semantoks probe --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}' '{wildcards.representation}"
        " --representation {wildcards.representation} --features {input.features:q}"
        " --confounds {input.confounds:q} --splits {input.splits:q} --out {output.scores:q}"
        " 2>&1 | tee {log:q}"


rule card:
    input:
        features="results/representations/{representation}/{dataset}.parquet",
        participants="results/index/{dataset}/participants.parquet",
        scans="results/scans/{dataset}.parquet",
    output:
        "results/cards/{dataset}/{representation}.json",
    log:
        "logs/cards/{dataset}/{representation}.log",
    conda:
        "../../envs/tables.yaml"
    resources:
        mem_mb=memory(8000),
    params:
        settings=settings(
            "card",
            probe={k: config["probe"][k] for k in ("inner_folds", "strengths")},
            site_column=lambda w: DATASETS[w.dataset]["site_column"],
            group_column=lambda w: DATASETS[w.dataset]["group_column"],
        ),
    shell:
        "python -m semantoks card --settings {params.settings:q}"
        " --label '{wildcards.representation} {wildcards.dataset}'"
        " --features {input.features:q} --participants {input.participants:q}"
        " --scans {input.scans:q} --out {output:q} 2>&1 | tee {log:q}"


rule benchmark:
    input:
        expand(
            "results/scores/{{dataset}}/{{phenotype}}/{representation}.parquet",
            representation=SCORED,
        ),
    output:
        "results/benchmarks/{dataset}/{phenotype}.json",
    log:
        "logs/benchmarks/{dataset}/{phenotype}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("benchmark", task=slice_of_task()),
    shell:
        "python -m semantoks benchmark --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}"
        " --dataset {wildcards.dataset} --scores {input:q} --out {output:q}"
        " 2>&1 | tee {log:q}"


rule report:
    input:
        benchmarks=[f"results/benchmarks/{d}/{p}.json" for d, p in TASKS],
        scans=expand("results/scans/{dataset}.parquet", dataset=DATASETS),
        metrics=expand("results/models/{model}/metrics.parquet", model=TRAINED),
        cards=CARDS,
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
        " --benchmarks {input.benchmarks:q} --scans {input.scans:q}"
        " --metrics {input.metrics:q} --cards {input.cards:q} --out {output:q} 2>&1 | tee {log:q}"
