"""The configuration, and names that the rules derive from it."""

import json
import logging
import os
import re
import shlex
import sys
from pathlib import Path

# `python -m snakemake` looks for modules in the work folder, where a stranger's numpy.py may lie.
sys.path[:] = [path for path in sys.path if path and Path(path) != Path.cwd()]

# Snakemake reads braces in the path of an environment file as wildcards.
if set("{}") & set(str(workflow.current_basedir)):
    sys.exit(
        f"Error: the path of the workflow, {workflow.current_basedir}, has a brace, which Snakemake"
        " cannot handle. Move the workflow to another folder."
    )

# A checkout brings the package along; a wheel or a module by github() needs it installed.
CHECKOUT = Path(str(workflow.current_basedir)) / "../../src"
if CHECKOUT.is_dir():
    sys.path.insert(0, str(CHECKOUT.resolve()))

try:
    from semantoks.commands.stages import STAGES
except ModuleNotFoundError:
    sys.exit(
        "Error: the package semantoks is missing. Install it beside Snakemake: pip install semantoks"
    )

from semantoks.config import Config, ConfoundColumns, IndexedDataset, Origin
from semantoks.config import BEST_CONNECTIVITY
from semantoks.config import OF_ENCODER, Pretraining
from semantoks.config import connectivity_candidates
from semantoks.config.preflight.checks import require_files
from semantoks.config.rows import expand_row
from semantoks.config.sharing import MARK, Sharing
from semantoks.config.validation import validated
from semantoks.config.variants import changed_part
from semantoks.config.variants import read_variants
from semantoks.errors import UserError, disk_sentence, printable
from semantoks.system.job_files import JobFiles
from semantoks.system.launch import Launch
from semantoks.system.messages import WithoutCommands
from semantoks.system.package import importable_folder
from semantoks.system.orphans import TOKEN_VARIABLE, end_jobs_on_signals, pass_to_jobs
from semantoks.system.run_folder import RunFolder


def stop(message):
    """End with one sentence; an exception would be shown with Snakemake's traceback."""
    print(f"Error: {printable(str(message))}", file=sys.stderr, flush=True)
    os._exit(1)


# The demo's file is not read for a row.
DEFAULT_NAME = "--config" if "row" in config else "config.yaml"
CONFIG_NAME = ", ".join(map(str, workflow.overwrite_configfiles)) or DEFAULT_NAME
FOLDER = RunFolder(Path.cwd())
JOB_FILES = JobFiles(Path(".snakemake/semantoks"))
try:
    content = expand_row(config)
    CONFIG = validated(Config, content, CONFIG_NAME)
    VARIANTS = read_variants(content, CONFIG, CONFIG_NAME)
    if workflow.is_main_process:
        require_files(CONFIG, CONFIG_NAME)
        for name, variant in VARIANTS.items():
            changed = changed_part(CONFIG, variant)
            require_files(changed, f"{CONFIG_NAME}, variants.{name}")
        FOLDER.require_writable()
        FOLDER.remove_stale_lock()
        FOLDER.drop_incomplete_indices()
except UserError as error:
    stop(error)
except OSError as error:
    if not (sentence := disk_sentence(error)):
        raise
    stop(sentence)
config.clear()
config.update(CONFIG.model_dump(mode="json"))

TOKEN = pass_to_jobs(workflow.is_main_process)

# A prefix replaces Snakemake's own strict mode, so it is repeated. Braces would be wildcards.
PACKAGE = shlex.quote(str(importable_folder())).replace("{", "{{").replace("}", "}}")
shell.prefix(
    "set -euo pipefail; export PYTHONSAFEPATH=1"
    f" PYTHONPATH={PACKAGE} {TOKEN_VARIABLE}={shlex.quote(TOKEN)}; "
)

logging.getLogger("snakemake.logging").addFilter(WithoutCommands())

# Data sets and models of variants are called `abide~gsr`: names to look settings up by. Those of
# the main analysis are in CONFIG.
SHARING = Sharing(CONFIG, VARIANTS)
DATASETS = SHARING.datasets
# Models that are pretrained on a part of the people are models, too.
SCALED = CONFIG.scaled_models
MODELS = SHARING.models | SCALED
GIVEN = [name for name, model in MODELS.items() if model.checkpoint]
TRAINED = [name for name in MODELS if name not in GIVEN]
BASELINES = [*CONFIG.baselines, "chance"]
EMBEDDINGS = CONFIG.embeddings
CAN_STACK = CONFIG.stacked and "fc" in BASELINES and CONFIG.probe.protocol != "paper"
# The other readouts hold connectivity themselves, or are for comparison.
STACKED = {
    f"{name}+fc": [name, "fc"]
    for name, (_, readout) in EMBEDDINGS.items()
    if CAN_STACK and readout in OF_ENCODER
}
# Of models that are pretrained on a part of the people.
SCALED_EMBEDDINGS = CONFIG.scaled_embeddings
COMBINED = CONFIG.combined
# The user's own: read from files, or by encoders of other packages.
GIVEN_ROWS = CONFIG.representations
FROM_FILES = [name for name, given in GIVEN_ROWS.items() if given.path]
ENCODED = [name for name in GIVEN_ROWS if name not in FROM_FILES]
if CAN_STACK:
    STACKED |= {f"{name}+fc": [name, "fc"] for name in GIVEN_ROWS}
REPRESENTATIONS = [*EMBEDDINGS, *GIVEN_ROWS, *BASELINES]
# Connectivity baselines, and the row that takes the best of them inside the training part.
CANDIDATES = connectivity_candidates(CONFIG.baselines, CONFIG.probe.protocol)
BEST = [BEST_CONNECTIVITY] if CANDIDATES else []
PROBED = [*EMBEDDINGS, *GIVEN_ROWS, *STACKED, *COMBINED, *BASELINES]
SCORED = [*EMBEDDINGS, *GIVEN_ROWS, *STACKED, *COMBINED, *BEST, *BASELINES]
# Models that are fine-tuned on the phenotypes, by the names of their rows.
FINETUNED = CONFIG.finetune.rows
# Rows of the paper's head beside those of the exact probe.
BY_PAPER = CONFIG.probe.rows_by_paper(REPRESENTATIONS, "classification")
PHENOTYPES = [
    (name, p) for name, data in CONFIG.datasets.items() for p in data.phenotypes
]


def settings(stage, **values):
    """File with the settings of a stage, from values or functions of the wildcards.

    Its name changes with its content, and so runs a job again.
    """

    def as_file(wildcards):
        ready = {k: v(wildcards) if callable(v) else v for k, v in values.items()}
        model = STAGES[stage].settings.model_validate(ready)
        text = json.dumps(model.model_dump(mode="json"), sort_keys=True)
        try:
            return JOB_FILES.write(text, ".json")
        except UserError as error:
            stop(error)

    return as_file


def names_of(*keys):
    """File with the names of the inputs, or of those with a key; a command line may be too short."""

    def as_file(wildcards, input):
        values = input
        for key in keys:
            values = getattr(input, key)
        values = [values] if isinstance(values, str) else values
        try:
            return JOB_FILES.write_names(values)
        except UserError as error:
            stop(error)

    return as_file


def memory(megabytes):
    """Memory of a job in MB; more at each attempt."""
    return lambda wildcards, attempt: megabytes * attempt


def any_of(names, others=()):
    """Pattern of a wildcard that is one of the names, also of the first seconds of scans."""
    ours = [*names, *CONFIG.probe.rows_of_seconds(names), *others]
    return "|".join(map(re.escape, ours)) or "none"


wildcard_constraints:
    dataset="|".join(map(re.escape, DATASETS)),
    model="|".join(map(re.escape, MODELS)) or "none",
    shard=r"\d{4}",
    embedding=any_of(EMBEDDINGS, SCALED_EMBEDDINGS),
    given="|".join(FROM_FILES) or "none",
    encoded=any_of(ENCODED),
    baseline=any_of(BASELINES, ["confounds"]),
    representation=any_of(PROBED, [*BY_PAPER, *SCALED_EMBEDDINGS]),
    best=any_of(BEST),
    finetuned="|".join(FINETUNED) or "none",
    phenotype="[^/]+",


onstart:
    try:
        has_lock = FOLDER.acquire()
    except UserError as error:
        stop(error)
    if has_lock:
        for line in FOLDER.end_orphans():
            print(line)
        JOB_FILES.remove_others()
    FOLDER.clamp_future_mtimes()
    # Snakemake's executor for Slurm gives all jobs of a run this name.
    FOLDER.write_note(
        TOKEN, getattr(workflow.scheduler._executor, "run_uuid", None)
    )
    end_jobs_on_signals()
