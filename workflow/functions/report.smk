# Inputs of rules/report.smk.


def timeseries_of_shard(w):
    """Time series of one shard; of a data set with events those of whole runs."""
    return timeseries_of([w.dataset])[int(w.shard)]


def scan_pages_of(datasets):
    """Pages of all shards of data sets."""
    return [
        f"results/report/scans/{dataset}/shard-{shard:04d}.html"
        for dataset in datasets
        for shard in range(DATASETS[dataset].shards)
    ]
