"""From preprocessed images or given time series to cleaned regional time series."""
