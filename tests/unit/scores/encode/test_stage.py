"""Representations by encoders of other packages."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import Manifest, iter_scans
from semantoks.config.encoders import find_encoder, package_of
from semantoks.errors import UserError
from semantoks.scores.encode.settings import EncodeSettings
from semantoks.scores.encode.stage import encode
from tests.conftest import write_cohort
from tests.encoders import install, install_example


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> list[Path]:
    return write_cohort(tmp_path_factory.mktemp("cohort"), manifest)[0]


@pytest.fixture(autouse=True)
def no_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a package of its own."""
    monkeypatch.delitem(sys.modules, "toy", raising=False)


def test_the_documented_example_gives_a_vector_per_scan(
    series: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(install_example(tmp_path))
    assert package_of(find_encoder("between")) == "example-encoder 1.0"
    settings = EncodeSettings(encoder="between", package="example-encoder 1.0")
    assert encode(settings, timeseries=series, out=tmp_path / "out") == [tmp_path / "out"]
    table = read_table(tmp_path / "out")
    scans = list(iter_scans(series))
    assert list(table["scan"]) == [scan.scan for scan in scans] and len(table) == 23
    first = scans[0].timeseries_CT
    expected = np.corrcoef([first[:5].mean(0), first[5:9].mean(0), first[9:].mean(0)])
    pairs = [expected[0, 1], expected[0, 2], expected[1, 2]]  # networks A, B and C
    np.testing.assert_allclose(table["features"][0], pairs, atol=1e-6)
    cut = EncodeSettings(encoder="between", seconds=60)
    encode(cut, timeseries=series, out=tmp_path / "cut")
    assert not np.allclose(read_table(tmp_path / "cut")["features"][0], pairs, atol=1e-3)


def test_only_what_is_installed_is_run(
    series: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "elsewhere", "raise SystemExit")
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name in ("toy", "toy:make", "elsewhere/toy.py", str(tmp_path / "elsewhere/toy.py")):
        with pytest.raises(UserError, match="There is no encoder"):
            encode(EncodeSettings(encoder=name), timeseries=series, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", r"toy failed on sub-00_task-rest \(ZeroDivisionError: division by zero\)"),
        ("return x", r"returned the shape \(12, 120\) for sub-00_task-rest, expected one vector\."),
        ("return x[:, 0][: 1 + (x[0, 0] > 0)]", "expected one vector of . numbers, as for the"),
        ("return x[:0, 0]", r"returned the shape \(0,\)"),
        ("return x[:2, 0] / 0", "returned an infinite number for sub-00_task-rest"),
        ("return ['a']", r"failed on sub-00_task-rest \(ValueError"),
    ],
)
def test_what_is_no_representation_is_refused(
    body: str,
    message: str,
    series: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = f"def make(manifest):\n    def encode(x):\n        {body}\n    return encode\n"
    monkeypatch.syspath_prepend(install(tmp_path / "site", code))
    settings = EncodeSettings(encoder="toy")
    with pytest.raises(UserError, match=message), np.errstate(divide="ignore"):
        encode(settings, timeseries=series, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_versions_and_packages_without_the_encoder_are_refused(
    series: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(install(tmp_path / "a", "def make(manifest): raise KeyError('w')"))
    planned = EncodeSettings(encoder="toy", package="toy 2.0")
    with pytest.raises(UserError, match=r"is of toy 1\.0 here, but the run was planned with toy 2"):
        encode(planned, timeseries=series, out=tmp_path / "out")
    with pytest.raises(UserError, match=r"could not be opened \(KeyError: 'w'\)"):
        encode(EncodeSettings(encoder="toy"), timeseries=series, out=tmp_path / "out")
    monkeypatch.syspath_prepend(install(tmp_path / "b", "", package="other"))
    with pytest.raises(UserError, match=r"Several packages offer .* other 1\.0, toy 1\.0"):
        find_encoder("toy")
