"""The methods of a run, from its configuration."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from semantoks.config import Config
from semantoks.report.boilerplate.data import data_sentences, sample_sentences
from semantoks.report.boilerplate.references import REFERENCES, bibliography
from semantoks.report.boilerplate.scoring import model_sentences, score_sentences

CITATION = re.compile(r" ?\[([\w, ]+)\]")


@dataclass(frozen=True)
class Methods:
    """What can be pasted into a paper.

    Attributes
    ----------
    paragraphs : list of str
        With authors and years.
    bibtex : str
        What they cite.
    """

    paragraphs: list[str]
    bibtex: str


def methods(
    config: Config,
    images: Mapping[str, Mapping[str, str]] | None = None,
    *,
    has_motion: bool = True,
    has_sites: bool = False,
    samples: Mapping[str, str] | None = None,
    splits: Collection[int] = (),
) -> Methods:
    """Describe what a configuration does, and cite what it uses.

    Parameters
    ----------
    config : Config
        Without free texts, if these may not be shown.
    images : mapping of str to mapping, optional
        ``engine`` and ``space`` of the preprocessed images, by data set.
    has_motion : bool
        Whether the head motion of any scan is known.
    has_sites : bool
        Whether sites were left out.
    samples : mapping of str to str, optional
        How many scans and participants were used, by data set.
    splits : collection of int
        Numbers of random splits that phenotypes have.
    """
    data = [
        *data_sentences(config, images or {}, has_motion),
        *sample_sentences(config, samples or {}),
    ]
    parts = data, model_sentences(config), score_sentences(config, splits, has_sites)
    paragraphs = [" ".join(part) for part in parts]
    keys = [key for text in paragraphs for cited in CITATION.findall(text) for key in _keys(cited)]
    return Methods([CITATION.sub(_in_words, text) for text in paragraphs], bibliography(keys))


def _keys(cited: str) -> list[str]:
    return cited.split(", ")


def _in_words(match: re.Match[str]) -> str:
    return f" ({'; '.join(REFERENCES[key].cited for key in _keys(match[1]))})"
