# Inputs and settings of rules/data.smk.

from semantoks.config.listing import listing_of

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
# Names of atlases mean the same in all variants.
ATLASES = {
    name: files
    for analysis in (CONFIG, *VARIANTS.values())
    for name, files in analysis.atlases.items()
}


def config_of(w):
    """Configuration of the main analysis, or of the variant that a data set belongs to."""
    return SHARING.config_of(w.dataset)


def uses_fmriprep(w):
    return config_of(w).preprocessing.engine == "fmriprep"


def data_folder(dataset):
    """Folder (or HDF5 file) of a data set, given or simulated."""
    if DATASETS[dataset].simulate:
        return f"results/simulated/{SHARING.dataset('index', dataset)}/bids"
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


def exclude_file(w):
    """Table of scans that are excluded by hand; nothing if there is none."""
    return DATASETS[w.dataset].exclude or []


def held_out_list(w):
    """Who is held out; nothing if nobody is, so that a table of scans has one input less."""
    name = SHARING.dataset("index", w.dataset)
    return f"results/index/{name}/held_out.tsv" if holds_out(w.dataset) else []


def custom_atlas_files(w):
    """Image (if any) and table of the user's own atlas; nothing for a built-in one."""
    files = ATLASES.get(w.atlas)
    return [path for path in (files.image, files.table) if path] if files else []


def shard_table(w):
    """Table of one shard, known to be current once `index` has run."""
    name = SHARING.dataset("index", w.dataset)
    checkpoints.index.get(dataset=name)
    return f"results/index/{name}/shard-{w.shard}.tsv"


def excluded_of_shard(w):
    """Scans of a shard that are excluded by hand; nothing if it has none."""
    name = SHARING.dataset("index", w.dataset)
    if DATASETS[name].exclude is None:
        return []
    checkpoints.index.get(dataset=name)
    table = Path(f"results/index/{name}/excluded-{w.shard}.tsv")
    return str(table) if table.exists() else []


def preprocessing_settings(w):
    """Preprocessing without what does not change the images of the engine in use."""
    whole = config_of(w).preprocessing
    defaults = type(whole.fmriprep)()
    if not uses_fmriprep(w):
        return whole.model_copy(update={"fmriprep": defaults})
    fixed = {key: getattr(defaults, key) for key in HOW_FMRIPREP_RUNS}
    fmriprep = whole.fmriprep.model_copy(update=fixed)
    return type(whole)(engine="fmriprep", fmriprep=fmriprep)


def how_fmriprep_runs(w):
    """Settings of how fMRIPrep is run, as JSON; empty for the built-in engine."""
    keys = set(HOW_FMRIPREP_RUNS) if uses_fmriprep(w) else set()
    return config_of(w).preprocessing.fmriprep.model_dump_json(include=keys)


def preprocessed(w):
    """Folder of a preprocessed shard; nothing if the data set is preprocessed already."""
    if DATASETS[w.dataset].source == "bids":
        name = SHARING.dataset("preprocess", w.dataset)
        return [f"results/preprocessed/{name}/shard-{w.shard}"]
    return []


def parcellation_of(w):
    """Parcellation of a data set: thresholds for resting scans do not apply to runs of a task."""
    of_task = DATASETS[w.dataset].events is not None
    parcellation = config_of(w).parcellation
    return parcellation.of_task_runs() if of_task else parcellation


def timeseries_of(datasets):
    """Time series of all shards of data sets, with the one atlas of their configuration."""
    folders = {
        dataset: f"results/timeseries/{SHARING.dataset('timeseries', dataset)}/"
        f"atlas-{SHARING.config_of(dataset).atlas}"
        for dataset in datasets
    }
    return [
        f"{start}_shard-{shard:04d}_timeseries.parquet"
        for dataset, start in folders.items()
        for shard in range(DATASETS[dataset].shards)
    ]


def scored_timeseries(dataset):
    """Time series that are scored: whole scans, or the blocks of a data set with events."""
    whole = timeseries_of([dataset])
    if DATASETS[dataset].events is None:
        return whole
    folder = f"results/blocks/{SHARING.dataset('samples', dataset)}"
    return [f"{folder}/{Path(path).name}" for path in whole]


def runs_of_blocks(w):
    """Time series of the runs that are cut into the blocks of one shard."""
    folder = f"results/timeseries/{SHARING.dataset('timeseries', w.dataset)}"
    return f"{folder}/atlas-{w.atlas}_shard-{w.shard}_timeseries.parquet"


def tables_of_blocks(w):
    """Events of the blocks of all shards."""
    ending = "_timeseries.parquet"
    series = scored_timeseries(w.dataset)
    return [f"{path.removesuffix(ending)}_blocks.parquet" for path in series]


def scored_participants(w):
    """Table with a row per sample: per participant, or per block of a data set with events."""
    if DATASETS[w.dataset].events is None:
        return indexed_participants(w)
    name = SHARING.dataset("samples", w.dataset)
    return f"results/blocks/{name}/participants.parquet"


def indexed_participants(w):
    """Table of participants, one row each."""
    name = SHARING.dataset("index", w.dataset)
    return f"results/index/{name}/participants.parquet"


def scans_of(dataset):
    """Table of all scans or blocks of a data set."""
    return f"results/scans/{SHARING.dataset('samples', dataset)}.parquet"
