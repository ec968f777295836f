"""What lies below `results/`: files, tables, time series, representations and their provenance."""
