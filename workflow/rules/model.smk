# From time series to representations: the model's, and those that need none.


rule get_model:
    input:
        lambda w: given_files(w.model),
    output:
        encoder="results/models/{model}/encoder.safetensors",
        config="results/models/{model}/config.json",
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model="|".join(GIVEN) or "none",
    conda:
        "../../envs/model.yaml"
    params:
        settings=settings(
            "get_model", checkpoint=lambda w: MODELS[w.model]["checkpoint"]
        ),
    shell:
        "python -m semantoks get-model --settings {params.settings:q}"
        " --label {wildcards.model} --files {input:q} --out {output.encoder:q}"
        " 2>&1 | tee {log:q}"


rule pretrain:
    input:
        lambda w: timeseries_of(training_datasets(w.model)),
    output:
        encoder="results/models/{model}/encoder.safetensors",
        config="results/models/{model}/config.json",
        metrics="results/models/{model}/metrics.parquet",
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model="|".join(TRAINED) or "none",
    conda:
        "../../envs/model.yaml"
    threads: lambda w: cpus_of(w.model)
    resources:
        mem_mb=memory(16000),
        runtime=2880,
        gpu=lambda w: (
            processes_of(w.model)[0] if processes_of(w.model)[1] == 1 else None
        ),
        # How Snakemake's Slurm executor is told of a job on several nodes.
        mpi=only_on_nodes(lambda processes, nodes: "srun"),
        # Said of one node, too, or Slurm may find the GPUs of several processes on several.
        nodes=lambda w: (
            processes_of(w.model)[1] if max(processes_of(w.model)) > 1 else None
        ),
        # Not only `threads`, which --cores lowers: srun would ask for more than the job has.
        cpus_per_task=lambda w: (
            cpus_of(w.model) if max(processes_of(w.model)) > 1 else None
        ),
        tasks=only_on_nodes(lambda processes, nodes: nodes),
        tasks_per_gpu=only_on_nodes(lambda processes, nodes: 0),
        gres=only_on_nodes(lambda processes, nodes: f"gpu:{processes}"),
        # Not in params: how pretraining is run reruns nothing.
        launch=lambda w: launcher(w.model),
    params:
        # Not `threads`, which --cores lowers: sums would be rounded in another order.
        threads=lambda w: MODELS[w.model]["cpu_threads"],
        settings=settings(
            "pretrain",
            model=lambda w: {
                k: MODELS[w.model][k]
                for k in ("architecture", "training", "allow_mismatch")
            },
        ),
    shell:
        "{resources.launch} -m semantoks pretrain --settings {params.settings:q} --threads {params.threads}"
        " --label {wildcards.model} --timeseries {input:q} --out {output.encoder:q}"
        " 2>&1 | tee {log:q}"


rule embed:
    input:
        model=lambda w: f"results/models/{EMBEDDINGS[w.embedding][0]}/encoder.safetensors",
        config=lambda w: f"results/models/{EMBEDDINGS[w.embedding][0]}/config.json",
        timeseries=lambda w: timeseries_of([w.dataset]),
    output:
        "results/representations/{embedding}/{dataset}.parquet",
    log:
        "logs/representations/{embedding}/{dataset}.log",
    conda:
        "../../envs/model.yaml"
    threads: lambda w: MODELS[EMBEDDINGS[w.embedding][0]]["cpu_threads"]
    resources:
        mem_mb=memory(8000),
        runtime=720,
        gpu=1,
    params:
        threads=lambda w: MODELS[EMBEDDINGS[w.embedding][0]]["cpu_threads"],
        settings=settings(
            "embed",
            readout=lambda w: EMBEDDINGS[w.embedding][1],
            allow_mismatch=lambda w: MODELS[EMBEDDINGS[w.embedding][0]][
                "allow_mismatch"
            ],
        ),
    shell:
        "python -m semantoks embed --settings {params.settings:q} --threads {params.threads}"
        " --label '{wildcards.embedding} {wildcards.dataset}' --model {input.model:q}"
        " --config {input.config:q} --timeseries {input.timeseries:q} --out {output:q} 2>&1 | tee {log:q}"


rule represent:
    input:
        participants="results/index/{dataset}/participants.parquet",
        timeseries=lambda w: timeseries_of([w.dataset]),
    output:
        "results/representations/{baseline}/{dataset}.parquet",
    log:
        "logs/representations/{baseline}/{dataset}.log",
    conda:
        "../../envs/tables.yaml"
    resources:
        mem_mb=memory(8000),
    params:
        settings=settings(
            "represent",
            site_column=lambda w: (
                DATASETS[w.dataset]["site_column"]
                if w.baseline == "confounds"
                else None
            ),
        ),
    shell:
        "python -m semantoks represent --settings {params.settings:q}"
        " --label '{wildcards.baseline} {wildcards.dataset}'"
        " --representation {wildcards.baseline} --participants {input.participants:q}"
        " --timeseries {input.timeseries:q} --out {output:q} 2>&1 | tee {log:q}"
