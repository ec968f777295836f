"""From images in template space, or tables, to cleaned regional time series."""
