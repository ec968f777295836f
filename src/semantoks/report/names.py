"""Labels of metrics, representations, schemes and covariates on the page."""

from __future__ import annotations

from collections.abc import Sequence

from semantoks.config import BEST_CONNECTIVITY, FINETUNED_SUFFIX, PAPER_SUFFIX

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
# Among whom a phenotype is permuted, if not among all participants.
PERMUTED = {
    "people": "It is the same in all blocks of a person, so it is permuted among people.",
    "families": "It is the same in all members of a family, so it is permuted among families.",
    "within families": "It is permuted among relatives, and between families of one size.",
    "within people": "It differs between the blocks of a person and is permuted within each person,"
    " so p is about these differences and not about those between people.",
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
# What is trained on a representation, by protocol and kind of phenotype.
HEADS = {
    ("exact", "classification"): "L2 logistic regression",
    ("exact", "regression"): "ridge regression",
    ("paper", "classification"): "the paper’s: SGD on windows",
    ("finetune", "classification"): "encoder and linear head, fine-tuned",
    ("finetune", "regression"): "encoder and linear head, fine-tuned",
}
# Representations that need no model.
BASELINES = {
    BEST_CONNECTIVITY: "best connectivity",
    "fc": "connectivity (Pearson)",
    "fc_gsr": "connectivity without global signal",
    "tangent": "tangent connectivity",
    "tangent_gsr": "tangent connectivity without global signal",
    "tangent_rbf": "tangent connectivity, Gaussian kernel",
    "partial": "partial correlation",
    "coskewness": "co-skewness connectivity",
    "mean_activity": "mean activity of regions",
    "confounds": "confounds only",
    "chance": "chance",
}


def representation_label(name: str) -> str:
    """Return the label of a row; stacked representations are joined by a plus sign."""
    representation = name.removesuffix(PAPER_SUFFIX)
    label = BASELINES.get(representation, representation.replace("+fc", " + connectivity"))
    if label.endswith(FINETUNED_SUFFIX):
        return f"{label.removesuffix(FINETUNED_SUFFIX)} (fine-tuned)"
    return label if name == representation else f"{label} (paper’s head)"


def is_baseline(name: str) -> bool:
    """Whether a row is of a representation that needs no model, by whatever protocol."""
    return name.removesuffix(PAPER_SUFFIX) in BASELINES


def plural(count: int, noun: str) -> str:
    """Return a number with its noun, such as ``2 scans``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Write names as ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
