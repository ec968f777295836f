"""The self-distilled model: network, training, files and embedding."""
