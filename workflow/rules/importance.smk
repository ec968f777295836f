# What scores lose without each network, in numbers and on the brain.


rule network_importance:
    """What a score loses without each network, and each pair of networks."""
    input:
        features="results/representations/{representation}/{dataset}.parquet",
        splits="results/splits/{dataset}/{phenotype}.parquet",
        networks=lambda w: scored_timeseries(w.dataset)[0],
        config=model_config,
        confounds=removed_confounds,
    output:
        losses="results/importance/{dataset}/{phenotype}/{representation}.tsv",
        splits="results/importance/{dataset}/{phenotype}/{representation}_splits.parquet",
    log:
        "logs/importance/{dataset}/{phenotype}/{representation}.log",
    conda:
        "../../envs/tables.yaml"
    resources:
        mem_mb=memory(8000),
    params:
        settings=settings(
            "network_importance",
            content=lambda w: CONFIG.of_networks[w.representation],
            probe=CONFIG.probe.of_importance(),
            column=lambda w: phenotype_of(w).column,
            **CONFOUND_COLUMNS,
        ),
    shell:
        "python -m semantoks network-importance --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}' '{wildcards.representation}"
        " --representation {wildcards.representation} --features {input.features:q}"
        " --splits {input.splits:q} --networks {input.networks:q} --config {input.config:q}"
        " --confounds {input.confounds:q} --out {output.losses:q} 2>&1 | tee {log:q}"


rule brain_maps:
    """Maps of the importance of networks, and the mean connectome by network."""
    input:
        importance=importances_of,
        timeseries=lambda w: scored_timeseries(w.dataset),
        image=atlas_files("image"),
        table=atlas_files("table"),
    output:
        directory("results/maps/{dataset}"),
    log:
        "logs/maps/{dataset}.log",
    conda:
        "../../envs/images.yaml"
    resources:
        mem_mb=memory(8000),
    params:
        settings=settings("brain_maps"),
        importance=names_of("importance"),
        timeseries=names_of("timeseries"),
    shell:
        "python -m semantoks brain-maps --settings {params.settings:q}"
        " --label {wildcards.dataset} --importance {params.importance:q}"
        " --timeseries {params.timeseries:q} --atlas-image {input.image:q}"
        " --atlas-table {input.table:q} --out {output:q} 2>&1 | tee {log:q}"
