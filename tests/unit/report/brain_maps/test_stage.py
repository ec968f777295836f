"""Maps are drawn without a network, and the connectome is the mean of people."""

from __future__ import annotations

import socket
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.timeseries import Manifest, Scan
from semantoks.data.atlas.regions import read_regions
from semantoks.report.brain_maps.connectome import connectome_by_network
from semantoks.report.brain_maps.settings import BrainMapsSettings
from semantoks.report.brain_maps.stage import _value_of_region, brain_maps
from semantoks.scores.network_importance.table import read_losses
from semantoks.scores.represent.connectivity import fisher_z
from tests.conftest import NETWORKS, write_cohort


@pytest.fixture
def no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a map must be drawn offline")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def write_losses(path: Path, of_networks: dict[str, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"scheme": "random", "network": name, "other": "", "metric": "auroc", "left_out_loss": loss}
        for name, loss in of_networks.items()
    ]
    pair = rows[0] | {"other": "A", "left_out_loss": 9.0}
    pd.DataFrame([*rows, pair, rows[0] | {"scheme": "site", "left_out_loss": 9.0}]).to_csv(
        path, sep="\t", index=False, na_rep="n/a"
    )


@pytest.mark.usefixtures("no_internet")
def test_maps_and_the_connectome(tmp_path: Path, manifest: Manifest) -> None:
    paths, _ = write_cohort(tmp_path, manifest)
    labels = np.zeros((40, 48, 40), np.int16)
    for region in range(len(NETWORKS)):
        labels[4 + 2 * region, 10:40, 8:32] = region + 1
    affine = np.array([[4.5, 0, 0, -90], [0, 4.5, 0, -126], [0, 0, 4.5, -72], [0, 0, 0, 1.0]])
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "atlas.nii.gz")
    regions = {"index": range(1, 13), "network": NETWORKS}
    pd.DataFrame(regions).to_csv(tmp_path / "atlas.tsv", sep="\t", index=False)
    losses = {"A": 0.1, "B": -0.02, "C": 0.0}
    write_losses(tmp_path / "importance/group/fc.tsv", losses)
    write_losses(tmp_path / "importance/group/none.tsv", dict.fromkeys(losses, float("nan")))
    out = tmp_path / "maps/toy"
    for image in (None, tmp_path / "atlas.nii.gz"):
        brain_maps(
            BrainMapsSettings(),
            importance=sorted((tmp_path / "importance/group").iterdir()),
            timeseries=paths,
            atlas_table=tmp_path / "atlas.tsv",
            out=out,
            atlas_image=image,
        )
        assert (out / "group/fc.png").exists() == (image is not None)
    assert not (out / "group/none.png").exists()
    assert nib.load(tmp_path / "atlas.nii.gz").shape == labels.shape
    table = pd.read_csv(out / "connectome.tsv", sep="\t", index_col="network")
    # Half of the people have 0.8 of a common signal in network A, the others 0.2.
    assert table.loc["A", "A"] == pytest.approx(0.54, abs=0.06)
    assert table.loc["B", "C"] == pytest.approx(0, abs=0.03)
    first = (out / "group/fc.png").read_bytes()
    assert first.startswith(b"\x89PNG") and len(first) > 20_000


@pytest.mark.parametrize("names", [["Vis", "None", "Default"], ["1", "2", "3"]])
def test_networks_may_have_any_name(tmp_path: Path, names: list[str]) -> None:
    write_losses(tmp_path / "fc.tsv", dict(zip(names, (0.1, 0.2, 0.3), strict=True)))
    regions = {"index": [1, 2, 3], "name": ["a", "b", "c"], "network": names}
    pd.DataFrame(regions).to_csv(tmp_path / "atlas.tsv", sep="\t", index=False)
    losses, table = read_losses(tmp_path / "fc.tsv"), read_regions(tmp_path / "atlas.tsv")
    assert _value_of_region(losses, table) == {1: 0.1, 2: 0.2, 3: 0.3}


def test_people_count_as_one_each() -> None:
    rng = np.random.default_rng(0)
    independent = rng.standard_normal((3, 500))
    alike = independent + 5 * rng.standard_normal(500)

    def scan(person: str, values: np.ndarray) -> Scan:
        return Scan(f"{person}-{id(values)}", person, "", "rest", "", 2.0, values)

    unknown = np.where(np.arange(3)[:, None] == 2, np.nan, alike)
    scans = [scan("a", alike), scan("b", independent), scan("a", alike), scan("c", unknown)]
    table = connectome_by_network(scans, {"a": 2, "b": 1, "c": 1}, ["A", "A", "B"])
    z = {"i": fisher_z(independent), "a": fisher_z(alike)}  # pairs 0-1, 0-2, 1-2
    # Of c the pairs with the third region are not known.
    within = (2 * z["a"] + z["i"])[0] / 3
    between = (z["a"] + z["i"])[1:].mean() / 2
    assert table.loc["A", "A"] == pytest.approx(np.tanh(within), abs=1e-6)
    assert table.loc["A", "B"] == pytest.approx(np.tanh(between), abs=1e-6)
    assert np.isnan(table.loc["B", "B"])
