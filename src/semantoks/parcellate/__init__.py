"""From images in template space, or tables, to cleaned regional time series."""

from semantoks.parcellate.shard import parcellate, scan_timeseries

__all__ = ["parcellate", "scan_timeseries"]
