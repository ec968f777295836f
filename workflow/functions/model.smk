# Inputs and resources of rules/model.smk.

from semantoks.commands.retrained import retrained_lines

if workflow.is_main_process:
    for line in retrained_lines(CONFIG, Path("results")):
        print(line, file=sys.stderr)


LAUNCHES = {
    name: Launch(MODELS[name].processes, MODELS[name].nodes, MODELS[name].cpu_threads)
    for name in TRAINED
}


def given_files(w):
    """Files of a given model on this machine; nothing if it is on the Hugging Face hub."""
    path = Path(MODELS[w.model].checkpoint)
    if path.is_dir():
        return [str(path / name) for name in ("encoder.safetensors", "config.json")]
    return [str(path)] if path.exists() else []


def tables_of_held_out(w):
    """Tables of scans that say who is held out, also of other data sets; nothing if nobody is."""
    holders = [name for name in DATASETS if holds_out(name)]
    seen = MODELS[w.model].datasets or DATASETS
    names = dict.fromkeys([*holders, *seen]) if holders else []
    return [f"results/scans/{name}.parquet" for name in names]


def launch_resource(name):
    return lambda w: LAUNCHES[w.model].resource(name)


def model_of(w):
    return MODELS[EMBEDDINGS[w.embedding][0]]
