"""Options that several stages have."""

from __future__ import annotations

from semantoks.commands.stage import Option, input_option, inputs_option

TIMESERIES = inputs_option("timeseries", "Parquet files of regional time series.")
PARTICIPANTS = input_option("participants", "Table of participants that `index` wrote.")
SCANS = input_option("scans", "Table of scans that `scans` wrote.")
SHARD = input_option("shard", "Table of one shard that `index` wrote (shard-NNNN.tsv).")
PROCESSES = Option(
    "threads", "Number of processes; results do not depend on it.", "number", False, 1
)
CPU_THREADS = Option(
    "threads", "Threads on a CPU; the last digits of the results depend on it.", "number", False, 1
)

LINK_TARGETS = Option(
    "link_targets", "JSON: folders that links of the data set may lead to.", "json", False, ()
)
