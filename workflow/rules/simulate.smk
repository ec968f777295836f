# Simulated data sets, for the demo and for tests.


rule simulate:
    """A simulated data set, with what was planted in it."""
    output:
        "results/simulated/{dataset}/bids/participants.tsv",
    log:
        "logs/simulated/{dataset}.log",
    conda:
        "../../envs/images.yaml"
    threads: 16
    params:
        truth="results/simulated/{dataset}/truth",
        settings=settings(
            "simulate",
            simulate=lambda w: DATASETS[w.dataset].simulate,
            source=lambda w: DATASETS[w.dataset].source,
        ),
    shell:
        "python -m semantoks simulate --settings {params.settings:q} --threads {threads}"
        " --label {wildcards.dataset} --truth {params.truth:q} --out {output:q}"
        " 2>&1 | tee {log:q}"
