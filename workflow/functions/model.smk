# Inputs and resources of rules/model.smk.

from semantoks.commands.retrained import retrained_lines
from semantoks.config import split_fraction, split_row

if workflow.is_main_process:
    for line in retrained_lines(CONFIG, Path("results")):
        print(line, file=sys.stderr)


LAUNCHES = {
    name: Launch(
        MODELS[name].processes,
        MODELS[name].nodes,
        MODELS[name].cpu_threads,
        MODELS[name].chunks,
    )
    for name in TRAINED
}


def given_files(w):
    """Files of a given model on this machine; nothing if it is on the Hugging Face hub."""
    path = Path(MODELS[w.model].checkpoint)
    if path.is_dir():
        return [str(path / name) for name in ("encoder.safetensors", "config.json")]
    return [str(path)] if path.exists() else []


def given_connectome(w):
    """Connectome of a given model on this machine; nothing of a trained one or on the hub."""
    path = Path(MODELS[w.model].checkpoint or "")
    folder = path if path.is_dir() else path.parent
    is_here = w.model in GIVEN and path.exists()
    return [str(folder / "connectome.safetensors")] if is_here else []


def seen_timeseries(w):
    """Time series that a model is fitted to, of which held-out people are left out."""
    return timeseries_of(SHARING.seen(w.model))


def tables_of_held_out(w):
    """Tables of scans that say who is held out, also of other data sets; nothing if nobody is."""
    holders = SHARING.holding_out(w.model)
    names = dict.fromkeys([*holders, *SHARING.seen(w.model)]) if holders else []
    return [scans_of(name) for name in names]


def part_of_people(w):
    """Fraction of the people that a model is fitted to, if it is not all."""
    fraction = split_fraction(w.model)[1]
    return fraction if fraction < 1 else None


def launch_resource(name):
    return lambda w: LAUNCHES[w.model].resource(name)


def embedding_of(w):
    """Model and readout of an embedding, of whole scans or of their first seconds."""
    return (EMBEDDINGS | SCALED_EMBEDDINGS)[split_row(w.embedding)[0]]


def model_of(w):
    return config_of(w).models[split_fraction(embedding_of(w)[0])[0]]


def folder_of_model(w):
    """Folder of the model of an embedding."""
    return f"results/models/{SHARING.model(w.dataset, embedding_of(w)[0])}"


def blocks_of_full(w):
    """Blocks of the readout that consists of some, so that they change no other readout."""
    readout = embedding_of(w)[1]
    return model_of(w).blocks_of(readout) if readout == "full" else []


def connectome_of(w):
    """Connectome of a model, if the readout needs it."""
    is_needed = model_of(w).needs_connectome(embedding_of(w)[1])
    return f"{folder_of_model(w)}/connectome.safetensors" if is_needed else []


def is_recentred(w):
    """Whether a readout depends on the sites of a data set."""
    blocks = model_of(w).blocks_of(embedding_of(w)[1])
    return (
        model_of(w).recentre == "site"
        and DATASETS[w.dataset].site_column is not None
        and not {"coupling", "coupling_gsr"}.isdisjoint(blocks)
    )


def participants_of_sites(w):
    """Table that says who is of which site, if the readout depends on it."""
    return scored_participants(w) if is_recentred(w) else []
