"""The encoder: tokenizers, transformer and projector."""
