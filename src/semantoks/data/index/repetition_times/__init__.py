"""The repetition time (TR) of scans of which no sidecar states it."""
