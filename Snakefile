"""`snakemake --cores all` starts here; the workflow is workflow/Snakefile."""


include: "workflow/Snakefile"


workflow.default_target = "all"  # included files cannot set it
