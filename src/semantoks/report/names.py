"""Labels of metrics, representations, schemes and covariates on the page."""

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
    "random": "random splits by participant",
    "fixed": "fixed splits",
    "site": "leave one site out",
}
COVARIATES = {
    "site": "site",
    "repetition_time": "TR",
    "mean_fd": "head motion",
    "seconds": "scan length",
    "age": "age",
    "sex": "sex",
}
# Representations that need no model.
BASELINES = {
    "fc": "connectivity (Pearson)",
    "fc_gsr": "connectivity without global signal",
    "tangent": "tangent connectivity",
    "partial": "partial correlation",
    "coskewness": "co-skewness connectivity",
    "confounds": "confounds only",
    "chance": "chance",
}


def representation_label(name: str) -> str:
    """Return the label of a representation; stacked ones are joined by a plus sign."""
    return BASELINES.get(name, name.replace("+fc", " + connectivity"))
