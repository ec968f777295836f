# From data sets to regional time series.


rule get_atlas:
    """The atlas: label image (if it has one), table of regions, and where both are from."""
    input:
        custom_atlas_files,
    output:
        **ATLAS_FILES,
    log:
        "logs/atlases/atlas-{atlas}.log",
    conda:
        "../../envs/images.yaml"
    params:
        settings=settings(
            "get_atlas",
            atlas=lambda w: w.atlas,
            custom=lambda w: ATLASES.get(w.atlas),
            atlas_dir=CONFIG.atlas_dir,
        ),
    shell:
        "python -m semantoks get-atlas --settings {params.settings:q}"
        " --label {wildcards.atlas} --files {input:q} --table {output.table:q}"
        f" --out {{output.{MAIN_ATLAS_FILE}:q}}"
        " 2>&1 | tee {log:q}"


checkpoint index:
    """Tables of scans and participants, one table per shard.

    A checkpoint, so that a shard whose table stays the same is not run again.
    """
    input:
        participants=participants_tables,
        hold_out=hold_out_file,
        exclude=exclude_file,
    output:
        scans="results/index/{dataset}/scans.parquet",
        participants="results/index/{dataset}/participants.parquet",
        left_out="results/index/{dataset}/left_out.tsv",
        held_out="results/index/{dataset}/held_out.tsv",
    log:
        "logs/index/{dataset}.log",
    conda:
        "../../envs/images.yaml"
    params:
        settings=settings(
            "index",
            dataset=lambda w: IndexedDataset.part_of(DATASETS[w.dataset]),
            by_fmriprep=lambda w: (
                uses_fmriprep(w) and DATASETS[w.dataset].source == "bids"
            ),
            group_column=lambda w: (
                DATASETS[w.dataset].group_column if holds_out(w.dataset) else None
            ),
        ),
        data=lambda w: data_folder(w.dataset),
        # Not an option of the command: it only makes a plan notice new people.
        listing=lambda w: listing_of(DATASETS[w.dataset]),
    shell:
        "python -m semantoks index --settings {params.settings:q}"
        " --label {wildcards.dataset} --participants {input.participants:q}"
        " --hold-out {input.hold_out:q} --exclude {input.exclude:q} --data {params.data:q}"
        " --out {output.scans:q} 2>&1 | tee {log:q}"


rule preprocess:
    """Derivatives of one shard in fMRIPrep's layout."""
    input:
        shard_table,
    output:
        directory("results/preprocessed/{dataset}/shard-{shard}"),
    log:
        "logs/preprocessed/{dataset}/shard-{shard}.log",
    conda:
        "../../envs/images.yaml"
    threads: lambda w: 8 if uses_fmriprep(w) else 4
    resources:
        mem_mb=lambda w, threads, attempt: (
            attempt
            * (max(16000, 4000 * threads) if uses_fmriprep(w) else 2000 * threads)
        ),
        runtime=lambda w: 2880 if uses_fmriprep(w) else 720,
        # A resource, not a param: changing how fMRIPrep is run does not run it again.
        running=how_fmriprep_runs,
        # Likewise: scans that may be read then have another row in the table of their shard.
        link_targets=link_targets,
    params:
        bids=lambda w: data_folder(w.dataset),
        settings=settings(
            "preprocess",
            preprocessing=preprocessing_settings,
            # `index` applies them for the built-in engine.
            entities=lambda w: (
                DATASETS[w.dataset].entities if uses_fmriprep(w) else {}
            ),
            t1w_entities=lambda w: (
                DATASETS[w.dataset].t1w_entities if uses_fmriprep(w) else {}
            ),
        ),
    shell:
        "python -m semantoks preprocess --settings {params.settings:q} --threads {threads}"
        " --memory {resources.mem_mb} --running {resources.running:q}"
        " --link-targets {resources.link_targets:q}"
        " --label '{wildcards.dataset} {wildcards.shard}' --shard {input:q}"
        " --bids {params.bids:q} --out {output:q} 2>&1 | tee {log:q}"


rule parcellate:
    """Cleaned regional time series of one shard."""
    input:
        shard=shard_table,
        derivatives=preprocessed,
        regions=lambda w: DATASETS[w.dataset].regions or [],
        excluded=excluded_of_shard,
        image=ATLAS_FILES.get("image", []),
        table=ATLAS_FILES["table"],
        metadata=ATLAS_FILES["metadata"],
    output:
        "results/timeseries/{dataset}/atlas-{atlas}_shard-{shard}_timeseries.parquet",
    log:
        "logs/timeseries/{dataset}/atlas-{atlas}_shard-{shard}.log",
    conda:
        "../../envs/images.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=240,
        link_targets=link_targets,
    params:
        settings=settings(
            "parcellate",
            atlas=lambda w: w.atlas,
            origin=lambda w: Origin.part_of(DATASETS[w.dataset]),
            parcellation=parcellation_of,
        ),
        data=lambda w: (preprocessed(w) or [data_folder(w.dataset)])[0],
    shell:
        "python -m semantoks parcellate --settings {params.settings:q}"
        " --label '{wildcards.dataset} {wildcards.shard}' --shard {input.shard:q}"
        " --derivatives {input.derivatives:q} --regions {input.regions:q}"
        " --excluded {input.excluded:q} --data {params.data:q}"
        " --atlas-image {input.image:q} --atlas-table {input.table:q}"
        " --link-targets {resources.link_targets:q}"
        " --atlas-metadata {input.metadata:q} --out {output:q} 2>&1 | tee {log:q}"


rule blocks:
    """Blocks of the runs of one shard, by the events of their task."""
    input:
        runs=runs_of_blocks,
        shard=shard_table,
    output:
        timeseries="results/blocks/{dataset}/atlas-{atlas}_shard-{shard}_timeseries.parquet",
        blocks="results/blocks/{dataset}/atlas-{atlas}_shard-{shard}_blocks.parquet",
    log:
        "logs/blocks/{dataset}/atlas-{atlas}_shard-{shard}.log",
    conda:
        "../../envs/tables.yaml"
    resources:
        link_targets=link_targets,
    params:
        settings=settings("blocks", events=lambda w: DATASETS[w.dataset].events),
        data=lambda w: data_folder(w.dataset),
    shell:
        "python -m semantoks blocks --settings {params.settings:q}"
        " --label '{wildcards.dataset} {wildcards.shard}' --runs {input.runs:q}"
        " --shard {input.shard:q} --data {params.data:q}"
        " --link-targets {resources.link_targets:q} --out {output.timeseries:q}"
        " 2>&1 | tee {log:q}"


rule samples:
    """The table of blocks of a data set, in the place of its table of participants."""
    input:
        blocks=tables_of_blocks,
        participants=indexed_participants,
    output:
        "results/blocks/{dataset}/participants.parquet",
    log:
        "logs/samples/{dataset}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings(
            "samples", group_column=lambda w: DATASETS[w.dataset].group_column
        ),
        blocks=names_of("blocks"),
    shell:
        "python -m semantoks samples --settings {params.settings:q}"
        " --label {wildcards.dataset} --blocks {params.blocks:q}"
        " --participants {input.participants:q} --out {output:q} 2>&1 | tee {log:q}"


rule scans:
    """All scans of a data set, or its blocks, included or excluded, with their quality measures."""
    input:
        timeseries=lambda w: scored_timeseries(w.dataset),
        held_out=held_out_list,
    output:
        scans="results/scans/{dataset}.parquet",
        excluded="results/scans/{dataset}_excluded.tsv",
    log:
        "logs/scans/{dataset}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("scans"),
        timeseries=names_of("timeseries"),
    shell:
        "python -m semantoks scans --settings {params.settings:q}"
        " --label {wildcards.dataset} --timeseries {params.timeseries:q}"
        " --held-out {input.held_out:q} --out {output.scans:q}"
        " 2>&1 | tee {log:q}"
