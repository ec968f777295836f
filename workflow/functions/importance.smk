# Inputs and settings of rules/importance.smk.


def model_config(w):
    """Description of the model of an embedding, which has its networks; nothing of a baseline."""
    if w.representation not in EMBEDDINGS:
        return []
    return f"results/models/{EMBEDDINGS[w.representation][0]}/config.json"


# Data set, phenotype and representation of which it is asked what each network is worth.
ASKED = [(d, p, row) for d, p in PHENOTYPES for row in CONFIG.important(p)]
IMPORTANCES = [f"results/importance/{d}/{p}/{row}.tsv" for d, p, row in ASKED]
MAPS = [f"results/maps/{d}" for d in dict.fromkeys(d for d, _, _ in ASKED)]


def importances_of(w):
    return [
        f"results/importance/{d}/{p}/{row}.tsv" for d, p, row in ASKED if d == w.dataset
    ]


def atlas_files(key):
    """A file of the atlas; nothing if it has no such file."""
    path = ATLAS_FILES.get(key)
    return path.format(atlas=CONFIG.atlas) if path else []


def importance_files(w):
    """Everything of the target `importance`."""
    if not ASKED:
        stop(
            "There is no importance of networks to measure. Set `importance: true` in "
            f"{CONFIG_NAME}, with phenotypes and baselines or readouts that have networks."
        )
    return [*IMPORTANCES, *MAPS]
