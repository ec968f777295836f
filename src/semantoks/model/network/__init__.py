"""The encoder (tokenizers and transformer) and the projector."""
