"""Atlases: a label image, a table of its regions, and a JSON file with space, sources and licence.

``families`` builds an atlas from published or custom files, ``checks`` compares its image with its
table, and ``stage`` writes it. The other stages read an atlas through `atlas.Atlas`.
"""
