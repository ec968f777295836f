"""The configuration and what the workflow asks of it; the only file here with Python."""

import csv
import fcntl
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

CHECKOUT = Path(workflow.basedir)
sys.path.insert(0, str(CHECKOUT / "src"))

from semantoks.config import validation
from semantoks.errors import UserError

# Raise a number when the stage's output changes: whatever hangs on it then runs again.
VERSION = {
    "simulate": 1,
    "get_atlas": 2,
    "index": 3,
    "preprocess": 3,
    "parcellate": 3,
    "scans": 1,
    "get_model": 1,
    "pretrain": 3,
    "embed": 5,
    "represent": 4,
    "split": 3,
    "probe": 3,
    "card": 2,
    "benchmark": 2,
    "report": 5,
}

# A prefix replaces Snakemake's own strict mode, so it must be said again here.
# The folder is known by its number, so that what a killed run leaves at work here can be found.
FOLDER = "{0.st_dev}:{0.st_ino}".format(os.stat("."))
shell.prefix(
    f"set -euo pipefail; export PYTHONPATH='{CHECKOUT}/src' SEMANTOKS_FOLDER={FOLDER}; "
)


def stop(message):
    """End with one sentence instead of a traceback."""
    print(f"Error: {message}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)


def is_hdf5(path):
    return path.endswith((".h5", ".hdf5"))


def data_folder(name):
    """Folder (or HDF5 file) of a data set as it comes, real or made up."""
    dataset = config["datasets"][name]
    if dataset["simulate"]:
        return f"results/simulated/{name}/bids"
    return dataset["path"].rstrip("/")


def participants_file(name):
    """Table of the people of a data set; an HDF5 file may be its own."""
    folder, table = data_folder(name), config["datasets"][name]["participants"]
    if is_hdf5(folder):
        return folder if table == "participants.tsv" else table
    return str(Path(folder) / table)  # a path of its own stays what it is


def participant_columns(name, dataset):
    """Columns of the table of people: what a made-up one will have, or the real one's first line."""
    if dataset["simulate"]:
        return validation.SIMULATED_COLUMNS
    path = Path(participants_file(name))
    if not path.exists():
        raise UserError(
            f"datasets.{name}.path: there is no {path}. Name a BIDS folder with a participants.tsv, "
            "or its table of people as `participants`."
        )
    with path.open(encoding="utf-8-sig", newline="") as stream:
        first = stream.readline()
    return next(
        csv.reader([first], delimiter="," if path.suffix == ".csv" else "\t"), []
    )


def own_atlas_files(atlas):
    """Image and table of an atlas of the user's own; nothing for a built-in one."""
    files = config["atlases"].get(atlas)
    return [files["image"], files["table"]] if files else []


def check_atlas_files():
    """Look once, in the main process, whether the files of the user's own atlas are there."""
    for path in own_atlas_files(config["atlas"]):
        if not Path(path).exists():
            raise UserError(
                f"atlases.{config['atlas']}: there is no {path}. Name an existing file in "
                f"{CONFIG_NAME}."
            )


def given_files(model):
    """Files of a model that is given, if they are on this machine and not on a hub."""
    path = Path(config["models"][model]["checkpoint"])
    if path.is_dir():
        return [str(path / name) for name in ("encoder.safetensors", "config.json")]
    return [str(path)] if path.exists() else []


def check_data_folders():
    """Look once, in the main process, whether the data and the columns are there."""
    for name, dataset in config["datasets"].items():
        if dataset["path"] and is_hdf5(participants_file(name)):
            continue  # `index` looks into it
        if dataset["regions"] and not Path(dataset["regions"]).exists():
            raise UserError(
                f"datasets.{name}.regions: there is no {dataset['regions']}."
            )
        columns = participant_columns(name, dataset)
        wanted = {
            task["column"] or phenotype: f"datasets.{name}.phenotypes"
            for phenotype, task in dataset["phenotypes"].items()
        }
        wanted |= {
            dataset[key]: f"datasets.{name}.{key}"
            for key in ("site_column", "group_column")
            if dataset[key]
        }
        for phenotype, where in wanted.items():
            if phenotype not in columns:
                raise UserError(
                    f"{name} has no column '{phenotype}' in {dataset['participants']} (columns: "
                    f"{', '.join(c for c in columns if c != dataset['participant_column'])}). Name an existing column under "
                    f"{where} in {CONFIG_NAME}."
                )


def check_models():
    """Look once, in the main process, for models that are given, and for a Slurm if one needs nodes."""
    for name, model in config["models"].items():
        given = model["checkpoint"]
        if given and not Path(given).exists() and not re.match(r"[\w-][^/]*/", given):
            raise UserError(
                f"models.{name}.checkpoint: there is no {given}. Name a folder with encoder.safetensors "
                "and config.json, a .pth file, or an id on the Hugging Face hub (owner/name)."
            )
        if model["nodes"] > 1 and shutil.which("srun") is None:
            raise UserError(
                f"models.{name}.nodes: {model['nodes']} needs Slurm, there is no `srun` here. "
                "Set nodes to 1, or run on a cluster with --workflow-profile profiles/slurm."
            )


def end_jobs_of_the_dead():
    """End what a killed run has left at work in this folder: it would write beside the next one.

    Only for who holds the lock of the folder.
    """
    cancel_jobs_of_the_dead()
    end_processes_of_the_dead()


def end_processes_of_the_dead():
    """End what the jobs of a killed run still do on this machine, and wait for it."""

    def is_left(process):
        with suppress(psutil.Error):
            return process.environ().get("SEMANTOKS_FOLDER") == FOLDER
        return False  # somebody else's, or gone

    left = [process for process in psutil.process_iter() if is_left(process)]
    if left:
        print("Ending what a run that was killed here has left at work")
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in left:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, left = psutil.wait_procs(left, timeout=10)


def cancel_jobs_of_the_dead():
    """Cancel what a killed run has left in the queue of Slurm, and wait until it is gone."""
    queue = ["squeue", "-h", "-u", str(os.getuid()), "-o", "%A|%k|%Z"]

    def left():
        done = subprocess.run(queue, capture_output=True, text=True, check=False)
        rows = (line.split("|") for line in done.stdout.splitlines())
        here = [row for row in rows if row[-1] == str(Path.cwd())]
        return sorted({row[0] for row in here if row[1].startswith("rule_")})

    jobs = left() if shutil.which("squeue") else []
    if jobs:
        print(f"Cancelling {len(jobs)} Slurm jobs of a run that was killed here")
        subprocess.run(["scancel", *jobs], check=False)
    until = time.monotonic() + 120
    while jobs and left() and time.monotonic() < until:
        time.sleep(1)


def hold_run_lock():
    """Lock this folder for as long as the file that is returned is open.

    The system lets go of it when the process ends, however it ends. None if another process has
    the lock, False on a file system that knows no locks.
    """
    handle = RUN_LOCK.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    except OSError:
        handle.close()
        return False
    return handle


def started(pid):
    """When a process was started; None if that is not known."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def lives(note):
    """Say whether the process of a note is still there; its number may be another's by now."""
    begun = started(note["pid"])
    same = begun is None or abs(begun - note.get("started", begun)) < 2
    return psutil.pid_exists(note["pid"]) and same


def release_lock_of_the_dead():
    """Remove the lock of a run that was killed on this machine; a living run keeps its lock."""
    note = json.loads(RUN_NOTE.read_text() or "{}") if RUN_NOTE.exists() else {}
    if note.get("host") != socket.gethostname() or lives(note):
        return
    handle = hold_run_lock()
    if handle is None:
        return
    for lock in Path(".snakemake/locks").glob("*.lock"):
        lock.unlink(missing_ok=True)
    if handle:
        handle.close()


def index_again_what_has_lost_a_table():
    """Let a data set be indexed again if a table of a shard is not there any more.

    They are no outputs of a rule, which cannot know their number: without this, Snakemake would
    only say that the table is missing.
    """
    for name in config["datasets"]:
        scans = Path("results/index") / name / "scans.parquet"
        with suppress(OSError, ValueError, KeyError, TypeError):
            about = json.loads(Path(f"{scans}.provenance.json").read_text())
            shards = about["settings"]["dataset"]["shards"]
            tables = [scans.with_name(f"shard-{n:04d}.tsv") for n in range(shards)]
            if not all(table.exists() for table in tables):
                scans.unlink()


def come_back_from_the_future():
    """Let no artifact look newer than the present, where a clock has gone back.

    Snakemake stops when what a job wrote looks older than what it read. Folders that are artifacts
    bear their time in a file of Snakemake's.
    """
    now, stamp = time.time(), ".snakemake_timestamp"
    for folder, folders, files in itertools.chain(
        os.walk("results"), os.walk("resources")
    ):
        if stamp in files:
            folders.clear()
            files = [stamp]
        for name in files:
            path = os.path.join(folder, name)
            if os.lstat(path).st_mtime > now + 1:
                os.utime(
                    path, (now, now)
                )  # one time for all: nothing is older than another


def check_writable():
    """Say in one sentence that results cannot be written."""
    for folder in (Path("results"), Path.cwd()):
        if folder.exists() and not os.access(folder, os.W_OK):
            raise UserError(
                f"{folder.resolve()} is read-only, or not yours to write to. Choose another folder "
                "with --directory."
            )


HELD = []  # an open file, so that the lock is held until this process ends
RUN_LOCK = Path(".snakemake/semantoks.lock")
RUN_NOTE = Path(".snakemake/semantoks_run.json")
CONFIG_NAME = ", ".join(map(str, workflow.overwrite_configfiles)) or "config.yaml"
try:
    config |= validation.complete(config, CONFIG_NAME)
    if workflow.is_main_process:
        check_data_folders()
        check_atlas_files()
        check_models()
        check_writable()
        release_lock_of_the_dead()
        index_again_what_has_lost_a_table()
except UserError as error:
    stop(error)

DATASETS = config["datasets"]
MODELS = config["models"]
GIVEN = [model for model, about in MODELS.items() if about["checkpoint"]]
TRAINED = [model for model in MODELS if model not in GIVEN]
BASELINES = [*config["baselines"], "chance"]
PUBLICATION = ("title", "data", "terms", "metric", "published")
# Embeddings by name: the model's own for the pooled readout, else with the readout behind it.
EMBEDDINGS = {
    model if readout == "pooled" else f"{model}-{readout}": (model, readout)
    for model, about in MODELS.items()
    for readout in about["readouts"]
}
# By name, the representations that are scored together.
STACKED = {
    f"{embedding}+fc": [embedding, "fc"]
    for embedding in EMBEDDINGS
    if config["stacked"]
    and "fc" in BASELINES
    and config["probe"]["protocol"] == "exact"
}
REPRESENTATIONS = [*EMBEDDINGS, *BASELINES]
SCORED = [*EMBEDDINGS, *STACKED, *BASELINES]
TASKS = [(d, p) for d, about in DATASETS.items() for p in about["phenotypes"]]
# The head of the paper is trained with PyTorch.
PROBE_ENVIRONMENT = "model" if config["probe"]["protocol"] == "paper" else "tables"
CARDS = [
    f"results/cards/{dataset}/{representation}.json"
    for dataset in dict.fromkeys(d for d, _ in TASKS)
    for representation in REPRESENTATIONS
    if representation not in ("confounds", "chance")
]
ATLAS = config["atlas"]
FMRIPREP = config["preprocessing"]["engine"] == "fmriprep"
# How fMRIPrep is run and not what it makes.
RUNNING = {
    key: config["preprocessing"]["fmriprep"][key]
    for key in (("license", "participants_per_call") if FMRIPREP else ())
}
RUNNING_JSON = json.dumps(RUNNING)


def settings(stage, **values):
    """A stage's slice of the configuration and its version, as JSON.

    A function of the wildcards, since Snakemake would read braces in a string as wildcards.
    """

    def slice_of(wildcards):
        ready = {k: v(wildcards) if callable(v) else v for k, v in values.items()}
        return json.dumps(ready | {"version": VERSION[stage]}, sort_keys=True)

    return slice_of


def representation_files(w, names=None):
    """Files of a representation, or of those that are stacked under its name."""
    names = names or STACKED.get(w.representation, [w.representation])
    return [f"results/representations/{name}/{w.dataset}.parquet" for name in names]


def removed_confounds(w):
    """What the probe regresses out of the features; nothing unless it is asked to."""
    residualise = config["probe"]["confounds"] == "residualise"
    return representation_files(w, ["confounds"]) if residualise else []


def task_of(w):
    return DATASETS[w.dataset]["phenotypes"][w.phenotype]


def slice_of_task(*left_out):
    return lambda w: {k: v for k, v in task_of(w).items() if k not in left_out}


def splits_file(w):
    return task_of(w)["splits_file"] or []


def memory(megabytes):
    """Memory of a job, in MB; more each time that it is tried again."""
    return lambda wildcards, attempt: megabytes * attempt


def processes_of(model):
    """Processes per node and nodes that a model is pretrained on."""
    return MODELS[model]["processes"], MODELS[model]["nodes"]


def cpus_of(model):
    """CPUs on each node that a model is pretrained on."""
    return MODELS[model]["cpu_threads"] * processes_of(model)[0]


def launcher(model):
    """What starts pretraining: Python, or torchrun where there are several processes."""
    processes, nodes = processes_of(model)
    if nodes > 1:
        # srun asks for itself: it does not take over how many CPUs a task of the job has.
        return (
            f"srun --nodes {nodes} --ntasks {nodes} --ntasks-per-node 1"
            f" --cpus-per-task {cpus_of(model)} torchrun"
            f" --nnodes {nodes} --nproc-per-node {processes} --rdzv-backend c10d"
            # This shell runs on the first of the nodes.
            " --rdzv-id $SLURM_JOB_ID --rdzv-endpoint $(hostname):29500"
        )
    if processes > 1:
        return f"torchrun --standalone --nproc-per-node {processes}"
    return "python"


def only_on_nodes(value):
    """A resource that only pretraining on several nodes has."""
    return lambda w: (
        value(*processes_of(w.model)) if processes_of(w.model)[1] > 1 else None
    )


def slice_of_dataset(name, *keys):
    return {key: DATASETS[name][key] for key in keys}


def preprocessed(w):
    """Folder of a preprocessed shard; nothing for a data set that enters preprocessed."""
    if DATASETS[w.dataset]["source"] == "bids":
        return [f"results/preprocessed/{w.dataset}/shard-{w.shard}"]
    return []


def engine_settings():
    """What of the preprocessing settings changes the images, with the engine in use."""
    every = config["preprocessing"]
    if every["engine"] == "minimal":
        return {key: value for key, value in every.items() if key != "fmriprep"}
    images = {
        key: value for key, value in every["fmriprep"].items() if key not in RUNNING
    }
    return {"engine": "fmriprep", "fmriprep": images}


def shard_numbers(dataset):
    return [f"{number:04d}" for number in range(DATASETS[dataset]["shards"])]


def timeseries_of(datasets):
    """Time series of data sets, all shards, with the one atlas of the configuration."""
    return [
        f"results/timeseries/{dataset}/atlas-{ATLAS}_shard-{shard}_timeseries.parquet"
        for dataset in datasets
        for shard in shard_numbers(dataset)
    ]


def kept_artifacts():
    """Everything on the way to the scores that is kept."""
    scored = sorted({dataset for dataset, _ in TASKS})
    return [
        *timeseries_of(DATASETS),
        *expand("results/scans/{dataset}.parquet", dataset=DATASETS),
        *expand("results/models/{model}/encoder.safetensors", model=MODELS),
        *[
            path
            for dataset, phenotype in TASKS
            for path in (
                f"results/splits/{dataset}/{phenotype}.parquet",
                f"results/benchmarks/{dataset}/{phenotype}.json",
                *(
                    f"results/scores/{dataset}/{phenotype}/{one}.parquet"
                    for one in SCORED
                ),
            )
        ],
        *CARDS,
        *expand(
            "results/representations/{representation}/{dataset}.parquet",
            representation=REPRESENTATIONS,
            dataset=scored,
        ),
    ]


def training_datasets(model):
    return MODELS[model]["datasets"] or list(DATASETS)


def shard_table(wildcards):
    """Table of one shard, known to be current once `index` has run."""
    checkpoints.index.get(dataset=wildcards.dataset)
    return f"results/index/{wildcards.dataset}/shard-{wildcards.shard}.tsv"


wildcard_constraints:
    dataset="|".join(DATASETS),
    model="|".join(MODELS) or "none",
    shard=r"\d{4}",
    embedding="|".join(EMBEDDINGS) or "none",
    baseline="|".join([*BASELINES, "confounds"]),
    representation="|".join(re.escape(name) for name in SCORED),
    phenotype="[^/]+",


onstart:
    # Two runs that start in the same moment both get past Snakemake's own lock.
    HELD.append(hold_run_lock())
    if HELD[-1] is None:
        stop("another run has the lock of this folder. Wait for it, or stop it.")
    if HELD[-1]:
        end_jobs_of_the_dead()
    come_back_from_the_future()
    RUN_NOTE.write_text(
        json.dumps(
            {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "started": started(os.getpid()),
            }
        )
    )
