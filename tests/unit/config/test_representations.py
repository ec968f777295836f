"""Representations that come from elsewhere, checked before anything is planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semantoks.config import Config
from semantoks.config.preflight.representations import require_representations
from semantoks.errors import UserError
from tests.encoders import install


def check(**representation: str) -> None:
    content: dict[str, Any] = {
        "datasets": {
            name: {"path": "data", "source": "timeseries", "phenotypes": phenotypes}
            for name, phenotypes in {"a": {"sex": "classification"}, "unscored": {}}.items()
        },
        "representations": {"mine": representation},
    }
    require_representations(Config.model_validate(content))


def test_files_are_there_for_every_data_set_that_is_scored(tmp_path: Path) -> None:
    for name in ("a.tsv", "a.npy", "a.txt"):
        (tmp_path / name).touch()
    check(path=f"{tmp_path}/{{dataset}}.tsv")
    check(path=f"{tmp_path}/{{dataset}}.npy", ids=f"{tmp_path}/{{dataset}}.txt")
    for path, message in {
        f"{tmp_path}/b.tsv": "there is no .*b.tsv, which is to have the features of data set a",
        f"{tmp_path}/a.xlsx": r"a.xlsx is no .parquet, .npy, .tsv or .csv file",
        f"{tmp_path}/a.npy": "a.npy needs `ids`",
        "/dev/null.tsv": "there is no /dev/null.tsv",
    }.items():
        with pytest.raises(UserError, match=message):
            check(path=path)
    with pytest.raises(UserError, match="names its rows itself"):
        check(path=f"{tmp_path}/a.tsv", ids=f"{tmp_path}/a.txt")
    (tmp_path / "folder.tsv").mkdir()
    with pytest.raises(UserError, match="folder.tsv is a folder, a file is needed"):
        check(path=f"{tmp_path}/folder.tsv")


def test_encoders_are_those_of_installed_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"no encoder 'toy'.*no installed package has any"):
        check(encoder="toy")
    # It is only looked up here: its code would fail.
    monkeypatch.syspath_prepend(install(tmp_path, "raise SystemExit"))
    check(encoder="toy")
    with pytest.raises(UserError, match=r"did you mean 'toy'\?"):
        check(encoder="toi")
