"""What metrics, representations and the like are called on the page."""

from __future__ import annotations

METRICS = {
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "ece": "calibration error",
    "pearson_r": "Pearson r",
    "r2": "R²",
    "mae": "MAE",
    "pearson_r_within_sites": "r within sites",
}
SCHEMES = {
    "random": "random splits by person",
    "fixed": "fixed splits",
    "site": "one site left out",
}
WHATS = {
    "site": "site",
    "repetition_time": "TR",
    "mean_fd": "head motion",
    "seconds": "scan length",
    "age": "age",
    "sex": "sex",
}
PLAIN = {
    "fc": "connectivity (Pearson)",
    "fc_gsr": "connectivity without global signal",
    "tangent": "tangent connectivity",
    "partial": "partial correlation",
    "coskewness": "co-skewness connectivity",
    "confounds": "confounds only",
    "chance": "chance",
}


def representation(name: str) -> str:
    """Name of a representation; of those that are stacked, all."""
    return PLAIN.get(name, name.replace("+fc", " + connectivity"))
