"""Representations that come from elsewhere: files of features, encoders of other packages."""

from __future__ import annotations

from pydantic import Field, model_validator

from semantoks.config.base import Settings

TABLES = (".tsv", ".csv")
SUFFIXES = (".parquet", ".npy", *TABLES)
DATASET = "{dataset}"


class GivenRepresentation(Settings):
    """A representation of your own, scored beside the others over the same splits."""

    path: str | None = Field(
        None,
        description="File of features that were made elsewhere, with one row per participant or "
        "scan: `.parquet`, `.tsv`, `.csv`, or `.npy` with `ids` (docs/own.md). `{dataset}` stands "
        "for the name of each data set.",
    )
    ids: str | None = Field(
        None,
        description="Text file with the participant or scan of each row of a `.npy` file, one per "
        "line, in the same order. `{dataset}` as in `path`.",
    )
    encoder: str | None = Field(
        None,
        description="Instead of `path`: name of an encoder that an installed package offers as an "
        "entry point of the group `semantoks.encoders`; it gets regional time series.",
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> GivenRepresentation:
        if (self.path is None) == (self.encoder is None):
            raise ValueError("a representation needs either `path` or `encoder`; name one of them")
        if self.ids is not None and self.path is None:
            raise ValueError("`ids` belongs to `path`, and there is none; take it out")
        return self

    def files(self, dataset: str) -> list[str]:
        """Return the file of the features of a data set, and that of its ids where there is one."""
        return [path.replace(DATASET, dataset) for path in (self.path, self.ids) if path]


def problem_of_format(path: str, ids: str | None) -> str:
    """Return why a file of features cannot be read, judged by its name; or nothing."""
    suffix = next((suffix for suffix in SUFFIXES if path.lower().endswith(suffix)), None)
    if suffix is None:
        return f"{path} is no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file; save it as one"
    if (suffix == ".npy") != (ids is not None):
        what = "needs" if ids is None else "names its rows itself, so it has no use for"
        return f"{path} {what} `ids`, the file that says whose row each is"
    return ""
