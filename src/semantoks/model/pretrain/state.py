"""What a training step changes: model, optimiser, and sums for the metrics of the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from semantoks.config import Pretraining
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from semantoks.model.pretrain.monitor import Metrics

# What `TrainingState.sums` adds up over the steps of an epoch.
SUMS = ("total", "cls", "ttr", "token", "gradient_norm")


@dataclass
class TrainingState:
    """State of a training; random draws are functions of the step and are not part of it.

    Attributes
    ----------
    model : SelfDistillation
        Student and teacher with their projectors.
    optimizer : Optimizer
        AdamW over the student's parameters.
    sums : Tensor
        `SUMS` over the steps of the current epoch so far.
    precision : dtype or None
        Of matrix products under autocast; None for that of the parameters.
    step : int
        Steps done.
    masked_steps : int
        Steps of the current epoch with masks.
    epochs : list of Metrics
        Metrics of the finished epochs.
    """

    model: SelfDistillation
    optimizer: torch.optim.Optimizer
    sums: Tensor
    precision: torch.dtype | None = None
    step: int = 0
    masked_steps: int = 0
    epochs: list[Metrics] = field(default_factory=list)


def initial_state(settings: Pretraining, networks: Sequence[str], device: str) -> TrainingState:
    """Return an untrained model with its optimiser on a device, at step 0."""
    training, on_gpu = settings.training, device.startswith("cuda")
    model = build_model(settings, networks).to(device)
    if training.compile == "always" or (training.compile == "auto" and on_gpu):
        _compile(model)
    # bfloat16 has the exponent range of float32, so gradients need no scaling (GradScaler).
    bfloat16 = training.precision == "bfloat16" or (training.precision == "auto" and on_gpu)
    return TrainingState(
        model,
        # Weight decay is set per group in each step.
        torch.optim.AdamW(weight_decay_groups(model), weight_decay=0.0, fused=True),
        torch.zeros(len(SUMS), device=device),
        torch.bfloat16 if bfloat16 else None,
    )


def build_model(settings: Pretraining, networks: Sequence[str]) -> SelfDistillation:
    """Return an untrained model; its initial values depend only on the seed."""
    sizes = settings.architecture
    # Initialise on the CPU, so that the values are the same on every device.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.training.seed)
        return SelfDistillation(
            Encoder(sizes, networks),
            Projector(sizes.width, sizes.projector_hidden, sizes.projector_output),
            settings.training.token_weight,
            settings.training.teacher_momentum,
        )


def _compile(model: SelfDistillation) -> None:
    # Each encoder is compiled with and without masks and tokens, and for the metrics of an epoch:
    # more variants than PyTorch's default limit, beyond which it falls back to eager code.
    torch._dynamo.config.recompile_limit = 32
    for encoder in (model.student, model.teacher):
        encoder.encode = torch.compile(encoder.encode, dynamic=False)  # type: ignore[method-assign]


def weight_decay_groups(model: SelfDistillation) -> list[dict[str, list[nn.Parameter]]]:
    """Split the student's parameters into those that decay, and biases, norms and embeddings."""
    decaying: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            # Biases, norms and LayerScale have one axis; `network_embedding` has two.
            no_decay = parameter.ndim < 2 or name.endswith("embedding")
            (others if no_decay else decaying).append(parameter)
    return [{"params": decaying}, {"params": others}]
