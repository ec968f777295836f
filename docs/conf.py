"""Configuration of the documentation site, which `make docs` builds with Sphinx."""

from __future__ import annotations

import contextlib
import io
import os

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from semantoks import __version__
from semantoks.__main__ import main

os.environ["COLUMNS"] = "88"  # of the help of commands

project = "Semantoks"
author = "The Semantoks developers"
project_copyright = "The Semantoks developers, Apache-2.0"
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
# Headings get the anchors that a forge gives them: `[methods](methods.md#statistics)`.
myst_heading_anchors = 4
autosummary_generate = True
autodoc_typehints = "none"  # types are in the docstrings
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "Semantoks"
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # pages on a disk cannot fetch others
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}

# Files outside of this folder that have a page here; links to others lead to a copy of the file.
PAGES = {
    "../CONTRIBUTING.md": "contributing.md",
    "../SECURITY.md": "security.md",
    "../CHANGELOG.md": "changelog.md",
}


class CommandHelp(Directive):
    """Show what ``semantoks COMMAND --help`` prints."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the help as a block of text."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main([*self.arguments, "--help"])
        return [nodes.literal_block(text=printed.getvalue(), language="none")]


def link_to_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Lead links to files outside of this folder to their pages."""
    for file, page in PAGES.items():
        source[0] = source[0].replace(f"]({file}", f"]({page}")


def setup(app: Sphinx) -> None:
    """Add what the pages need besides the extensions."""
    app.add_directive("command-help", CommandHelp)
    app.connect("source-read", link_to_pages)
