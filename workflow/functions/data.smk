# Inputs and settings of rules/data.smk.

from semantoks.config.listing import listing_of

PREPROCESSING = CONFIG.preprocessing
FMRIPREP = PREPROCESSING.engine == "fmriprep"
# How fMRIPrep is run, as opposed to what it makes.
HOW_FMRIPREP_RUNS = ("license", "participants_per_call")

# What `get_atlas` writes: no image for an atlas that is only a table of regions.
ATLAS_FILES = {
    "image": "resources/atlases/atlas-{atlas}_dseg.nii.gz",
    "table": "resources/atlases/atlas-{atlas}_dseg.tsv",
    "metadata": "resources/atlases/atlas-{atlas}_dseg.json",
}
if CONFIG.atlas in CONFIG.atlases and CONFIG.atlases[CONFIG.atlas].image is None:
    del ATLAS_FILES["image"]
MAIN_ATLAS_FILE = next(iter(ATLAS_FILES))


def data_folder(dataset):
    """Folder (or HDF5 file) of a data set, given or simulated."""
    if DATASETS[dataset].simulate:
        return f"results/simulated/{dataset}/bids"
    return DATASETS[dataset].path.rstrip("/")


def link_targets(w):
    """Folders that links of a data set may lead to, as JSON."""
    return json.dumps(DATASETS[w.dataset].link_targets)


def participants_tables(w):
    dataset = DATASETS[w.dataset]
    return list(map(str, dataset.participants_tables(data_folder(w.dataset))))


def holds_out(dataset):
    return DATASETS[dataset].hold_out is not None


def hold_out_file(w):
    """File of the people who are held out; nothing if they are drawn, or nobody is."""
    hold_out = DATASETS[w.dataset].hold_out
    return hold_out if isinstance(hold_out, str) else []


def held_out_list(w):
    """Who is held out; nothing if nobody is, so that a table of scans has one input less."""
    return f"results/index/{w.dataset}/held_out.tsv" if holds_out(w.dataset) else []


def custom_atlas_files(w):
    """Image (if any) and table of the user's own atlas; nothing for a built-in one."""
    files = CONFIG.atlases.get(w.atlas)
    return [path for path in (files.image, files.table) if path] if files else []


def shard_table(w):
    """Table of one shard, known to be current once `index` has run."""
    checkpoints.index.get(dataset=w.dataset)
    return f"results/index/{w.dataset}/shard-{w.shard}.tsv"


def preprocessing_settings(w):
    """Preprocessing without what does not change the images of the engine in use."""
    if not FMRIPREP:
        return PREPROCESSING.model_copy(
            update={"fmriprep": type(PREPROCESSING.fmriprep)()}
        )
    fixed = {
        key: type(PREPROCESSING.fmriprep).model_fields[key].default
        for key in HOW_FMRIPREP_RUNS
    }
    fmriprep = PREPROCESSING.fmriprep.model_copy(update=fixed)
    return type(PREPROCESSING)(engine="fmriprep", fmriprep=fmriprep)


def preprocessed(w):
    """Folder of a preprocessed shard; nothing if the data set is preprocessed already."""
    if DATASETS[w.dataset].source == "bids":
        return [f"results/preprocessed/{w.dataset}/shard-{w.shard}"]
    return []


def parcellation_of(w):
    """Parcellation of a data set: thresholds for resting scans do not apply to runs of a task."""
    of_task = DATASETS[w.dataset].events is not None
    return CONFIG.parcellation.of_task_runs() if of_task else CONFIG.parcellation


def timeseries_of(datasets):
    """Time series of all shards of data sets, with the one atlas of the configuration."""
    return [
        f"results/timeseries/{dataset}/atlas-{CONFIG.atlas}_shard-{shard:04d}_timeseries.parquet"
        for dataset in datasets
        for shard in range(DATASETS[dataset].shards)
    ]


def scored_timeseries(dataset):
    """Time series that are scored: whole scans, or the blocks of a data set with events."""
    whole = timeseries_of([dataset])
    if DATASETS[dataset].events is None:
        return whole
    return [path.replace("results/timeseries/", "results/blocks/", 1) for path in whole]


def tables_of_blocks(w):
    """Events of the blocks of all shards."""
    ending = "_timeseries.parquet"
    series = scored_timeseries(w.dataset)
    return [f"{path.removesuffix(ending)}_blocks.parquet" for path in series]


def scored_participants(w):
    """Table with a row per sample: per participant, or per block of a data set with events."""
    folder = "index" if DATASETS[w.dataset].events is None else "blocks"
    return f"results/{folder}/{w.dataset}/participants.parquet"
