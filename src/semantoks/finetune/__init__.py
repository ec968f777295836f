"""Fine-tuning of a model's encoder, with a linear head, on a phenotype."""
