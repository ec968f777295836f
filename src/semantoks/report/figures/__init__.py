"""Figures of the report, as SVG elements inside the page."""
