# From representations to scores.

# Environment of probes: the paper's head is trained with PyTorch.
OF_PROBES = "tables" if CONFIG.probe.protocol == "exact" else "model"


rule represent:
    """A representation that needs no model: connectivity, confounds or chance."""
    input:
        participants=scored_participants,
        timeseries=lambda w: scored_timeseries(w.dataset),
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
            seconds=lambda w: split_row(w.baseline)[1],
            **{
                key: of_confounds_only(column)
                for key, column in CONFOUND_COLUMNS.items()
            },
        ),
        representation=lambda w: split_row(w.baseline)[0],
        timeseries=names_of("timeseries"),
    shell:
        "python -m semantoks represent --settings {params.settings:q}"
        " --label '{wildcards.baseline} {wildcards.dataset}'"
        " --representation {params.representation} --participants {input.participants:q}"
        " --timeseries {params.timeseries:q} --out {output:q} 2>&1 | tee {log:q}"


rule get_representation:
    """A representation that is given as a file instead of made."""
    input:
        files=files_of_given_row,
        scans="results/scans/{dataset}.parquet",
    output:
        "results/representations/{given}/{dataset}.parquet",
    log:
        "logs/representations/{given}/{dataset}.log",
    conda:
        "../../envs/tables.yaml"
    resources:
        mem_mb=memory(8000),
    params:
        settings=settings("get_representation"),
    shell:
        "python -m semantoks get-representation --settings {params.settings:q}"
        " --label '{wildcards.given} {wildcards.dataset}' --files {input.files:q}"
        " --scans {input.scans:q} --out {output:q} 2>&1 | tee {log:q}"


rule encode:
    """A representation by an encoder that an installed package offers."""
    input:
        timeseries=lambda w: scored_timeseries(w.dataset),
    output:
        "results/representations/{encoded}/{dataset}.parquet",
    log:
        "logs/representations/{encoded}/{dataset}.log",
    conda:
        "../../envs/model.yaml"
    resources:
        mem_mb=memory(8000),
        runtime=720,
    params:
        settings=settings(
            "encode",
            encoder=encoder_of,
            # Another version of the package makes other features.
            package=lambda w: package_of(find_encoder(encoder_of(w))),
            seconds=lambda w: split_row(w.encoded)[1],
        ),
        timeseries=names_of("timeseries"),
    shell:
        "python -m semantoks encode --settings {params.settings:q}"
        " --label '{wildcards.encoded} {wildcards.dataset}'"
        " --timeseries {params.timeseries:q} --out {output:q} 2>&1 | tee {log:q}"


rule split:
    """Training and test participants of a phenotype."""
    input:
        participants=scored_participants,
        scans=lambda w: scans_of(w.dataset),
        fixed=lambda w: phenotype_of(w).splits_file or [],
        like=followed_splits,
    output:
        "results/splits/{dataset}/{phenotype}.parquet",
    log:
        "logs/splits/{dataset}/{phenotype}.log",
    # Before models: what cannot be split stops the run, and shall do so early.
    priority: 1
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings(
            "split",
            name=lambda w: w.phenotype,
            phenotype=lambda w: phenotype_of(w).without_publication(),
            group_column=group_column,
            of_blocks=has_blocks,
            splits=lambda w: config_of(w).splits,
            **CONFOUND_COLUMNS,
        ),
    shell:
        "python -m semantoks split --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}"
        " --participants {input.participants:q} --scans {input.scans:q} --like {input.like:q}"
        " --out {output:q} 2>&1 | tee {log:q}"


rule probe:
    """Scores of one representation, or of several together, for one phenotype."""
    input:
        features=representation_files,
        confounds=removed_confounds,
        splits=splits_of,
    output:
        scores="results/scores/{dataset}/{phenotype}/{representation}.parquet",
        predictions="results/scores/{dataset}/{phenotype}/{representation}_predictions.parquet",
        shuffles="results/scores/{dataset}/{phenotype}/{representation}_shuffles.parquet",
    log:
        "logs/scores/{dataset}/{phenotype}/{representation}.log",
    conda:
        "../../envs/{}.yaml".format(OF_PROBES)
    resources:
        mem_mb=memory(8000),
    params:
        settings=probe_settings,
    shell:
        "python -m semantoks probe --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}' '{wildcards.representation}"
        " --representation {wildcards.representation} --features {input.features:q}"
        " --confounds {input.confounds:q} --splits {input.splits:q} --out {output.scores:q}"
        " 2>&1 | tee {log:q}"


# A rule per data set, since each has other phenotypes, and so other outputs. Its name stands in the
# outputs: with a wildcard, Snakemake would compare each file with those of all data sets.
for dataset, phenotypes in SHARING_SPLITS.items():

    rule:
        name:
            f"probe_{dataset.replace('~', '_')}"
        input:
            features=in_dataset(dataset, representation_files),
            confounds=in_dataset(dataset, removed_confounds),
            splits=splits_of_all(dataset),
        output:
            expand(
                f"results/scores/{dataset}/{{phenotype}}/{{{{representation}}}}{{part}}.parquet",
                phenotype=phenotypes,
                part=["", "_predictions", "_shuffles"],
            ),
        log:
            f"logs/scores/{dataset}/{{representation}}.log",
        wildcard_constraints:
            representation=any_of(PROBED, SCALED_EMBEDDINGS),
        conda:
            "../../envs/{}.yaml".format(OF_PROBES)
        resources:
            mem_mb=memory(8000),
            runtime=1440,
        params:
            dataset=dataset,
            settings=in_dataset(dataset, probe_settings),
            splits=names_of("splits"),
        shell:
            "python -m semantoks probe --settings {params.settings:q}"
            " --label {params.dataset}' '{wildcards.representation}"
            " --representation {wildcards.representation} --features {input.features:q}"
            " --confounds {input.confounds:q} --splits {params.splits:q}"
            " --out results/scores/{params.dataset} 2>&1 | tee {log:q}"

    workflow.ruleorder(f"probe_{dataset.replace('~', '_')}", "probe")


rule choose:
    """The best connectivity, chosen inside the training part of every fit."""
    input:
        scores=lambda w: files_of_rows(w, "", candidates_of(w)),
        predictions=lambda w: files_of_rows(w, "_predictions", candidates_of(w)),
        shuffles=lambda w: files_of_rows(w, "_shuffles", candidates_of(w)),
    output:
        scores="results/scores/{dataset}/{phenotype}/{best}.parquet",
        predictions="results/scores/{dataset}/{phenotype}/{best}_predictions.parquet",
        shuffles="results/scores/{dataset}/{phenotype}/{best}_shuffles.parquet",
    log:
        "logs/scores/{dataset}/{phenotype}/{best}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("choose"),
        scores=names_of("scores"),
    shell:
        "python -m semantoks choose --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}' '{wildcards.best}"
        " --representation {wildcards.best} --scores {params.scores:q} --out {output.scores:q}"
        " 2>&1 | tee {log:q}"


rule finetune:
    """Scores of a model that is fine-tuned on each split, and a model of everybody."""
    input:
        model=lambda w: f"{finetuned_folder(w)}/encoder.safetensors",
        config=lambda w: f"{finetuned_folder(w)}/config.json",
        timeseries=lambda w: scored_timeseries(w.dataset),
        splits=splits_of,
    output:
        scores="results/scores/{dataset}/{phenotype}/{finetuned}.parquet",
        predictions="results/scores/{dataset}/{phenotype}/{finetuned}_predictions.parquet",
        shuffles="results/scores/{dataset}/{phenotype}/{finetuned}_shuffles.parquet",
        encoder="results/finetuned/{dataset}/{phenotype}/{finetuned}/encoder.safetensors",
        config="results/finetuned/{dataset}/{phenotype}/{finetuned}/config.json",
        head="results/finetuned/{dataset}/{phenotype}/{finetuned}/head.safetensors",
        predicts="results/finetuned/{dataset}/{phenotype}/{finetuned}/head.json",
    log:
        "logs/scores/{dataset}/{phenotype}/{finetuned}.log",
    conda:
        "../../envs/model.yaml"
    threads: lambda w: MODELS[FINETUNED[w.finetuned]].cpu_threads
    resources:
        mem_mb=memory(16000),
        runtime=1440,
        gpu=1,
    params:
        threads=lambda w: MODELS[FINETUNED[w.finetuned]].cpu_threads,
        settings=settings(
            "finetune",
            training=finetune_training,
            probe=lambda w: config_of(w).probe.model_dump(
                include={"inner_folds", "strengths"}
            ),
            allow_mismatch=lambda w: config_of(w)
            .models[FINETUNED[w.finetuned]]
            .allow_mismatch,
        ),
        timeseries=names_of("timeseries"),
    shell:
        "python -m semantoks finetune --settings {params.settings:q} --threads {params.threads}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}' '{wildcards.finetuned}"
        " --representation {wildcards.finetuned} --model {input.model:q} --config {input.config:q}"
        " --splits {input.splits:q} --timeseries {params.timeseries:q}"
        " --save {output.encoder:q} --out {output.scores:q} 2>&1 | tee {log:q}"


rule card:
    """Leakage and test-retest reliability of a representation."""
    input:
        features="results/representations/{representation}/{dataset}.parquet",
        participants=scored_participants,
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
            probe=CONFIG.probe.model_dump(include={"inner_folds", "strengths"}),
            harmonize="combat" if USES_COMBAT else "none",
            group_column=group_column,
            of_blocks=has_blocks,
            **CONFOUND_COLUMNS,
        ),
    shell:
        "python -m semantoks card --settings {params.settings:q}"
        " --label '{wildcards.representation} {wildcards.dataset}'"
        " --features {input.features:q} --participants {input.participants:q}"
        " --scans {input.scans:q} --out {output:q} 2>&1 | tee {log:q}"


rule benchmark:
    """All representations compared on one phenotype, over the same splits."""
    input:
        scores=scores_of,
        scans=scans_of_curves,
    output:
        "results/benchmarks/{dataset}/{phenotype}.json",
    log:
        "logs/benchmarks/{dataset}/{phenotype}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("benchmark", phenotype=phenotype_of),
        scores=names_of("scores"),
    shell:
        "python -m semantoks benchmark --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}"
        " --dataset {wildcards.dataset} --scores {params.scores:q} --scans {input.scans:q}"
        " --out {output:q} 2>&1 | tee {log:q}"


rule scaling_curve:
    """Scores against the number of people in pretraining."""
    input:
        scores=lambda w: files_of_rows(w, "", rows_of_scaling(w)),
        models=expand("results/models/{model}/config.json", model=SCALED),
    output:
        curves="results/scaling/{dataset}/{phenotype}.json",
        figure="results/scaling/{dataset}/{phenotype}.svg",
    log:
        "logs/scaling/{dataset}/{phenotype}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("scaling_curve"),
        scores=names_of("scores"),
        models=names_of("models"),
    shell:
        "python -m semantoks scaling-curve --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}"
        " --dataset {wildcards.dataset} --scores {params.scores:q} --models {params.models:q}"
        " --out {output.curves:q} 2>&1 | tee {log:q}"


rule vary:
    """Scores of a phenotype in each variant, compared with those of the main analysis."""
    input:
        benchmarks=benchmarks_of_variants,
        scores=scores_of_variants,
    output:
        "results/variants/{dataset}/{phenotype}.json",
    log:
        "logs/variants/{dataset}/{phenotype}.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("vary"),
        benchmarks=names_of("benchmarks"),
        scores=names_of("scores"),
    shell:
        "python -m semantoks vary --settings {params.settings:q}"
        " --label {wildcards.dataset}' '{wildcards.phenotype:q}"
        " --benchmarks {params.benchmarks:q} --scores {params.scores:q} --out {output:q}"
        " 2>&1 | tee {log:q}"
