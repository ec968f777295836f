"""How models are fine-tuned on a phenotype."""

from __future__ import annotations

from pydantic import Field

from semantoks.config.base import Settings

# Ends the name of the row of a model that was fine-tuned, beside the rows of the same model frozen.
FINETUNED_SUFFIX = "-finetuned"


class FinetuneTraining(Settings):
    """Fine-tuning of an encoder and a linear head."""

    splits: int = Field(
        5,
        ge=1,
        le=100,
        description="Number of random (or fixed) splits, the first of those that are scored by the "
        "probe; at most `probe.repeats` random ones.",
    )
    sites: bool = Field(False, description="Whether to also leave out one site at a time.")
    epochs: int = Field(
        30, ge=1, description="Passes over the training participants, at most; early stopping."
    )
    patience: int = Field(
        8, ge=1, description="Epochs without a lower loss of the validation participants to stop."
    )
    windows: int = Field(
        4, ge=1, description="Random windows of each training participant in an epoch."
    )
    batch_size: int = Field(32, ge=2, description="Windows per step.")
    learning_rate: float = Field(
        1e-3,
        gt=0,
        allow_inf_nan=False,
        description="Peak learning rate of the head, after a linear warm-up over a tenth of the "
        "steps; then a cosine to zero.",
    )
    layer_decay: float = Field(
        0.75,
        gt=0,
        le=1,
        description="Factor of the learning rate from one layer to the one below it: the last "
        "transformer block has that of the head times this factor, the tokenizers the lowest.",
    )
    weight_decay: float = Field(0.05, ge=0, allow_inf_nan=False, description="Of AdamW.")
    seed: int = Field(0, ge=0, description="Seed of all random draws.")


class Finetune(FinetuneTraining):
    """Which models are fine-tuned on the phenotypes, and how."""

    models: list[str] = Field(
        [],
        description="Models to fine-tune on every phenotype, split by split; each is a row "
        "`<model>-finetuned` beside those of the probe (docs/finetuning.md).",
    )

    @property
    def rows(self) -> dict[str, str]:
        """Model of each row of a fine-tuned model, by the name of the row."""
        return {f"{model}{FINETUNED_SUFFIX}": model for model in self.models}

    def training(self, repeats: int) -> FinetuneTraining:
        """Return what a row depends on, so that another model in the list changes none.

        Parameters
        ----------
        repeats : int
            Random splits that the probe scores; there are no more.
        """
        content = self.model_dump(exclude={"models"})
        return FinetuneTraining.model_validate(content | {"splits": min(self.splits, repeats)})
