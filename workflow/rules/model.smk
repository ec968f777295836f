# Models, and the embeddings they make.


rule get_model:
    """A model that is given instead of trained."""
    input:
        given_files,
    output:
        encoder="results/models/{model}/encoder.safetensors",
        config="results/models/{model}/config.json",
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model="|".join(map(re.escape, GIVEN)) or "none",
    conda:
        "../../envs/model.yaml"
    params:
        settings=settings("get_model", checkpoint=lambda w: MODELS[w.model].checkpoint),
    shell:
        "python -m semantoks get-model --settings {params.settings:q}"
        " --label {wildcards.model} --files {input:q} --out {output.encoder:q}"
        " 2>&1 | tee {log:q}"


rule pretrain:
    """A pretrained model and its training curves."""
    input:
        timeseries=seen_timeseries,
        scans=tables_of_held_out,
    output:
        encoder="results/models/{model}/encoder.safetensors",
        config="results/models/{model}/config.json",
        metrics="results/models/{model}/metrics.parquet",
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model="|".join(map(re.escape, TRAINED)) or "none",
    conda:
        "../../envs/model.yaml"
    threads: lambda w: LAUNCHES[w.model].cpus
    resources:
        mem_mb=memory(16000),
        runtime=2880,
        gpu=launch_resource("gpu"),
        mpi=launch_resource("mpi"),
        nodes=launch_resource("nodes"),
        cpus_per_task=launch_resource("cpus_per_task"),
        tasks=launch_resource("tasks"),
        tasks_per_gpu=launch_resource("tasks_per_gpu"),
        gres=launch_resource("gres"),
        # A resource, not a param: changing how pretraining is launched does not run it again.
        launch=lambda w: LAUNCHES[w.model].command,
    params:
        # Not `threads`, which --cores lowers: sums would be rounded in another order.
        threads=lambda w: MODELS[w.model].cpu_threads,
        settings=settings(
            "pretrain",
            model=lambda w: Pretraining.part_of(MODELS[w.model]),
            people=part_of_people,
        ),
        timeseries=names_of("timeseries"),
    shell:
        "{resources.launch} -m semantoks pretrain --settings {params.settings:q}"
        " --threads {params.threads} --label {wildcards.model} --timeseries {params.timeseries:q}"
        " --scans {input.scans:q} --out {output.encoder:q} 2>&1 | tee {log:q}"


rule connectome:
    """Reference covariances and the distilled map of a model, trained here or given."""
    input:
        timeseries=lambda w: [] if w.model in GIVEN else seen_timeseries(w),
        scans=lambda w: [] if w.model in GIVEN else tables_of_held_out(w),
        files=given_connectome,
    output:
        "results/models/{model}/connectome.safetensors",
    log:
        "logs/connectomes/{model}.log",
    conda:
        "../../envs/model.yaml"
    threads: lambda w: MODELS[w.model].cpu_threads
    resources:
        mem_mb=memory(16000),
        runtime=720,
    params:
        threads=lambda w: MODELS[w.model].cpu_threads,
        settings=settings(
            "connectome",
            checkpoint=lambda w: MODELS[w.model].checkpoint,
            map=lambda w: (
                None if MODELS[w.model].is_untrained else MODELS[w.model].connectome
            ),
            allow_mismatch=lambda w: MODELS[w.model].allow_mismatch,
            people=part_of_people,
        ),
        timeseries=names_of("timeseries"),
    shell:
        "python -m semantoks connectome --settings {params.settings:q}"
        " --threads {params.threads} --label {wildcards.model}"
        " --timeseries {params.timeseries:q} --scans {input.scans:q} --files {input.files:q}"
        " --out {output:q} 2>&1 | tee {log:q}"


rule embed:
    """One feature vector per scan, from a model."""
    input:
        model=lambda w: f"{folder_of_model(w)}/encoder.safetensors",
        config=lambda w: f"{folder_of_model(w)}/config.json",
        timeseries=lambda w: scored_timeseries(w.dataset),
        connectome=connectome_of,
        participants=participants_of_sites,
    output:
        "results/representations/{embedding}/{dataset}.parquet",
    log:
        "logs/representations/{embedding}/{dataset}.log",
    conda:
        "../../envs/model.yaml"
    threads: lambda w: model_of(w).cpu_threads
    resources:
        mem_mb=memory(8000),
        runtime=720,
        gpu=1,
    params:
        threads=lambda w: model_of(w).cpu_threads,
        settings=settings(
            "embed",
            readout=lambda w: embedding_of(w)[1],
            blocks=blocks_of_full,
            recentre=lambda w: "site" if is_recentred(w) else "none",
            site_column=lambda w: (
                DATASETS[w.dataset].site_column if is_recentred(w) else None
            ),
            seconds=lambda w: split_row(w.embedding)[1],
            allow_mismatch=lambda w: model_of(w).allow_mismatch,
        ),
        timeseries=names_of("timeseries"),
    shell:
        "python -m semantoks embed --settings {params.settings:q} --threads {params.threads}"
        " --label '{wildcards.embedding} {wildcards.dataset}' --model {input.model:q}"
        " --config {input.config:q} --connectome {input.connectome:q}"
        " --participants {input.participants:q} --timeseries {params.timeseries:q} --out {output:q}"
        " 2>&1 | tee {log:q}"
