"""Training and test participants of every phenotype."""
