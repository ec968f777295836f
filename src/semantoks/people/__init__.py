"""Tables of participants as users write them: reading, cleaning, checks and ids.

Snakemake's own process uses them too, so they need nothing but the standard library.
"""
