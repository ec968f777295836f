# From time series to representations: the model's, and those that need none.


rule pretrain:
    input:
        lambda w: timeseries_of(training_datasets(w.model)),
    output:
        encoder="results/models/{model}/encoder.safetensors",
        config="results/models/{model}/config.json",
        metrics="results/models/{model}/metrics.parquet",
    params:
        settings=settings("pretrain", model=lambda w: MODELS[w.model]),
    log:
        "logs/models/{model}.log",
    threads: 16
    resources:
        mem_mb=16000,
        gpu=1,
    conda:
        "../../envs/model.yaml"
    shell:
        "python -m semantoks pretrain --settings {params.settings:q} --threads {threads}"
        " --label {wildcards.model} --timeseries {input:q} --out {output.encoder:q}"
        " 2>&1 | tee {log:q}"


rule embed:
    input:
        model="results/models/{model}/encoder.safetensors",
        config="results/models/{model}/config.json",
        timeseries=lambda w: timeseries_of([w.dataset]),
    output:
        "results/representations/{model}/{dataset}.parquet",
    params:
        settings=settings("embed"),
    log:
        "logs/representations/{model}/{dataset}.log",
    threads: 4
    resources:
        mem_mb=8000,
        gpu=1,
    conda:
        "../../envs/model.yaml"
    shell:
        "python -m semantoks embed --settings {params.settings:q} --threads {threads}"
        " --label '{wildcards.model} {wildcards.dataset}' --model {input.model:q}"
        " --timeseries {input.timeseries:q} --out {output:q} 2>&1 | tee {log:q}"


rule represent:
    input:
        participants="results/index/{dataset}/participants.parquet",
        timeseries=lambda w: timeseries_of([w.dataset]),
    output:
        "results/representations/{baseline}/{dataset}.parquet",
    params:
        settings=settings("represent"),
    log:
        "logs/representations/{baseline}/{dataset}.log",
    resources:
        mem_mb=8000,
    conda:
        "../../envs/tables.yaml"
    shell:
        "python -m semantoks represent --settings {params.settings:q}"
        " --label '{wildcards.baseline} {wildcards.dataset}'"
        " --representation {wildcards.baseline} --participants {input.participants:q}"
        " --timeseries {input.timeseries:q} --out {output:q} 2>&1 | tee {log:q}"
