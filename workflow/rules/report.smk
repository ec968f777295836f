# The report, and pages with pictures of all scans.


rule scan_page:
    """Pictures of every scan of one shard: time series, connectome, registration."""
    input:
        runs=timeseries_of_shard,
        shard=shard_table,
        derivatives=preprocessed,
    output:
        "results/report/scans/{dataset}/shard-{shard}.html",
    log:
        "logs/scan_pages/{dataset}/shard-{shard}.log",
    conda:
        "../../envs/images.yaml"
    resources:
        mem_mb=memory(4000),
        link_targets=link_targets,
    params:
        settings=settings(
            "scan_page",
            dataset=lambda w: w.dataset,
            number=lambda w: int(w.shard),
            shards=lambda w: DATASETS[w.dataset].shards,
            source=lambda w: DATASETS[w.dataset].source,
            participants=CONFIG.report.participants,
            max_mean_fd=CONFIG.parcellation.max_mean_fd,
        ),
        data=lambda w: (preprocessed(w) or [data_folder(w.dataset)])[0],
    shell:
        "python -m semantoks scan-page --settings {params.settings:q}"
        " --label '{wildcards.dataset} {wildcards.shard}' --runs {input.runs:q}"
        " --shard {input.shard:q} --data {params.data:q}"
        " --link-targets {resources.link_targets:q} --out {output:q} 2>&1 | tee {log:q}"


rule report:
    """The report: scores, training curves, head motion, exclusions and settings."""
    input:
        benchmarks=[f"results/benchmarks/{d}/{p}.json" for d, p in PHENOTYPES],
        scans=expand("results/scans/{dataset}.parquet", dataset=CONFIG.datasets),
        left_out=expand("results/index/{dataset}/left_out.tsv", dataset=CONFIG.datasets),
        metrics=[
            f"results/models/{model}/metrics.parquet"
            for model in CONFIG.models
            if model in TRAINED
        ],
        cards=CARDS,
        confounds=CONFOUNDS,
        importance=IMPORTANCES,
        maps=MAPS,
        scaling=SCALING,
        variants=VARIED,
        # Of single people, so these are read only if the report may show them.
        scores=SHOWN_SCORES,
        predictions=SHOWN_PREDICTIONS,
        participants=SHOWN_PARTICIPANTS,
        # Only so that they are made, too: the report links to them and reads none.
        pages=scan_pages_of(CONFIG.datasets),
    output:
        page=report(
            "results/report/index.html",
            category="Semantoks",
            caption="../report/page.rst",
        ),
        scores=report(
            "results/report/scores.tsv",
            category="Semantoks",
            caption="../report/scores.rst",
        ),
    log:
        "logs/report.log",
    conda:
        "../../envs/tables.yaml"
    params:
        settings=settings("report", report=CONFIG.report, config=CONFIG),
        benchmarks=names_of("benchmarks"),
        scans=names_of("scans"),
        left_out=names_of("left_out"),
        metrics=names_of("metrics"),
        cards=names_of("cards"),
        confounds=names_of("confounds"),
        importance=names_of("importance"),
        maps=names_of("maps"),
        scaling=names_of("scaling"),
        variants=names_of("variants"),
        scores=names_of("scores"),
        predictions=names_of("predictions"),
        participants=names_of("participants"),
    shell:
        "python -m semantoks report --settings {params.settings:q}"
        " --benchmarks {params.benchmarks:q} --scans {params.scans:q}"
        " --left-out {params.left_out:q} --metrics {params.metrics:q}"
        " --cards {params.cards:q} --confounds {params.confounds:q}"
        " --importance {params.importance:q} --maps {params.maps:q} --scaling {params.scaling:q}"
        " --variants {params.variants:q}"
        " --scores {params.scores:q} --predictions {params.predictions:q}"
        " --participants {params.participants:q} --out {output.page:q}"
        " 2>&1 | tee {log:q}"
