# Made-up raw BIDS data sets, for the demo and for tests.


rule simulate:
    output:
        "results/simulated/{dataset}/bids/participants.tsv",
    params:
        truth="results/simulated/{dataset}/truth",
        settings=settings(
            "simulate", simulate=lambda w: DATASETS[w.dataset]["simulate"]
        ),
    log:
        "logs/simulated/{dataset}.log",
    threads: 16
    conda:
        "../../envs/images.yaml"
    shell:
        "python -m semantoks simulate --settings {params.settings:q} --threads {threads}"
        " --label {wildcards.dataset} --truth {params.truth:q} --out {output:q}"
        " 2>&1 | tee {log:q}"
