"""From raw BIDS data sets to phenotype scores; see README.md.

A configuration given with --configfile replaces config.yaml, it is not merged into it.
"""

from snakemake.utils import min_version

min_version("9.0")

if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


rule all:
    input:
        "results/report/index.html",
        # By name, or one that a kill took away after its scores were made would stay away.
        lambda w: kept_artifacts(),


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/collect.smk"
