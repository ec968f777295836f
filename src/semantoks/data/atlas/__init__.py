"""Atlases: a label image, a table that names each label and its network, and where both are from.

One module per family of atlases builds it; `checks` looks at what any of them made; `files` knows
what lies on disk. Everything that other code needs is named here.
"""
