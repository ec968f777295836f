# Where the data come in: from BIDS folders to regional time series.


rule get_atlas:
    output:
        image="resources/atlases/atlas-{atlas}_dseg.nii.gz",
        table="resources/atlases/atlas-{atlas}_dseg.tsv",
    log:
        "logs/atlases/atlas-{atlas}.log",
    conda:
        "../../envs/images.yaml"
    params:
        settings=settings("get_atlas", atlas=lambda w: w.atlas),
    shell:
        "python -m semantoks get-atlas --settings {params.settings:q}"
        " --label {wildcards.atlas} --table {output.table:q} --out {output.image:q}"
        " 2>&1 | tee {log:q}"


# A checkpoint, so that a shard whose table stays the same is not worked on again.
checkpoint index:
    input:
        lambda w: f"{bids_folder(w.dataset)}/participants.tsv",
    output:
        scans="results/index/{dataset}/scans.parquet",
        participants="results/index/{dataset}/participants.parquet",
    log:
        "logs/index/{dataset}.log",
    conda:
        "../../envs/images.yaml"
    params:
        settings=settings(
            "index",
            shards=lambda w: DATASETS[w.dataset]["shards"],
            task=lambda w: DATASETS[w.dataset]["task"],
        ),
    shell:
        "python -m semantoks index --settings {params.settings:q}"
        " --label {wildcards.dataset} --participants {input:q} --out {output.scans:q}"
        " 2>&1 | tee {log:q}"


rule preprocess:
    input:
        shard_table,
    output:
        directory("results/preprocessed/{dataset}/shard-{shard}"),
    log:
        "logs/preprocessed/{dataset}/shard-{shard}.log",
    conda:
        "../../envs/images.yaml"
    threads: 8 if FMRIPREP else 4
    resources:
        mem_mb=lambda w, threads: (
            max(16000, 4000 * threads) if FMRIPREP else 2000 * threads
        ),
        # Not in params: how fMRIPrep is run reruns nothing.
        running=lambda w: RUNNING_JSON,
    params:
        bids=lambda w: bids_folder(w.dataset),
        settings=settings("preprocess", preprocessing=engine_settings()),
    shell:
        "python -m semantoks preprocess --settings {params.settings:q} --threads {threads}"
        " --memory {resources.mem_mb} --running {resources.running:q}"
        " --label '{wildcards.dataset} {wildcards.shard}' --scans {input:q}"
        " --bids {params.bids:q} --out {output:q} 2>&1 | tee {log:q}"


rule parcellate:
    input:
        scans=shard_table,
        derivatives="results/preprocessed/{dataset}/shard-{shard}",
        image="resources/atlases/atlas-{atlas}_dseg.nii.gz",
        table="resources/atlases/atlas-{atlas}_dseg.tsv",
    output:
        "results/timeseries/{dataset}/atlas-{atlas}_shard-{shard}_timeseries.parquet",
    log:
        "logs/timeseries/{dataset}/atlas-{atlas}_shard-{shard}.log",
    conda:
        "../../envs/images.yaml"
    resources:
        mem_mb=4000,
    params:
        settings=settings(
            "parcellate",
            atlas=lambda w: w.atlas,
            engine=config["preprocessing"]["engine"],
            parcellation=config["parcellation"],
        ),
    shell:
        "python -m semantoks parcellate --settings {params.settings:q}"
        " --label '{wildcards.dataset} {wildcards.shard}' --scans {input.scans:q}"
        " --derivatives {input.derivatives:q} --atlas-image {input.image:q}"
        " --atlas-table {input.table:q} --out {output:q} 2>&1 | tee {log:q}"
