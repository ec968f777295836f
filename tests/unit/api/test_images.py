"""Images are embedded from Python to the last digit as by the stages of the workflow."""

from __future__ import annotations

import gzip
import json
import logging
import re
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

import semantoks
from semantoks.api.images import read_atlas
from semantoks.artifacts.timeseries import read_manifest, read_scan_table
from semantoks.config import Origin, Parcellation
from semantoks.data.index.shards import DerivativeScan, scan_table
from semantoks.data.layout import scan_of
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.parcellate.stage import parcellate
from semantoks.errors import UserError
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.embed.stage import embed
from semantoks.model.files.checkpoint import save
from semantoks.model.network.encoder import Encoder
from tests.unit.data.parcellate.conftest import dense_axis, write_dense, write_run
from tests.unit.model.conftest import SIZES

IMAGE = "sub-01/func/sub-01_task-rest_space-MNI152NLin2009aSym_desc-preproc_bold.nii.gz"


class Study:
    """Derivatives of a scan, an atlas, and a model that was trained on such scans."""

    def __init__(self, folder: Path, image: Path, atlas: Any, space: str, strategy: str) -> None:
        self.folder, self.image, self.strategy = folder, image, strategy
        self.data, self.atlas = folder / "fmriprep", folder / "atlas-toy_dseg.nii.gz"
        tool = {"Name": "fMRIPrep", "Version": "25.2.7"}
        (self.data / "dataset_description.json").write_text(json.dumps({"GeneratedBy": [tool]}))
        self.atlas.write_bytes(gzip.compress(atlas.image.to_bytes()))
        atlas.regions.to_csv(folder / "atlas-toy_dseg.tsv", sep="\t", index=False)
        (folder / "atlas-toy_dseg.json").write_text(json.dumps({"space": space}))
        self.shard = self.parcellated()
        torch.manual_seed(0)
        encoder = Encoder(SIZES, tuple(atlas.regions["network"])).eval()
        encoder.manifest = read_manifest(self.shard)
        save(encoder, folder / "model")
        self.model = semantoks.load(folder / "model")

    def parcellated(self) -> Path:
        file = self.image.relative_to(self.data).as_posix()
        scan = DerivativeScan(scan_of(self.image.name), "sub-01", "", "rest", "", file, "", "")
        table, out = self.folder / "shard.tsv", self.folder / "series.parquet"
        scan_table([scan], DerivativeScan).to_csv(table, sep="\t", index=False)
        origin = Origin(source="fmriprep", confounds=self.strategy)
        settings = Parcellation(min_dof=1, min_seconds=0, motion="basic")
        parcellate(
            ParcellateSettings(atlas="toy", origin=origin, parcellation=settings),
            shard=table,
            data=self.data,
            atlas_image=self.atlas,
            atlas_table=self.folder / "atlas-toy_dseg.tsv",
            atlas_metadata=self.folder / "atlas-toy_dseg.json",
            out=out,
        )
        assert read_scan_table([out])["reason"].tolist() == [""]
        return out

    def by_the_workflow(self, readout: str) -> np.ndarray:
        out, settings = (
            self.folder / "out.parquet",
            EmbedSettings.model_validate({"readout": readout}),
        )
        weights = self.folder / "model/encoder.safetensors"
        embed(settings, model=weights, timeseries=[self.shard], out=out)
        (row,) = pd.read_parquet(out)["features"]
        return np.asarray(row)


def volumes(folder: Path, atlas: Any, strategy: str = "simple") -> Study:
    write_run(folder / "fmriprep", "sub-01_task-rest")
    return Study(folder, folder / "fmriprep" / IMAGE, atlas, "MNI152", strategy)


@pytest.mark.parametrize("strategy", ["simple", "36p", "none"])
def test_volumes_are_embedded_as_by_the_workflow(
    tmp_path: Path, atlas: Any, strategy: str, caplog: pytest.LogCaptureFixture
) -> None:
    study = volumes(tmp_path, atlas, strategy)
    for readout in ("pooled", "amplitude", "spectrum"):
        features = study.model.embed(study.image, readout, atlas=study.atlas)
        np.testing.assert_array_equal(features, study.by_the_workflow(readout))
    # Noise has little signal; the other thresholds are for real data as well. One region is empty.
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    expected = re.compile("would exclude it|features are NaN, since 1 of 3 regions have no data")
    assert all(expected.search(record.message) for record in warnings)


def test_a_dense_image_is_embedded_as_by_the_workflow(tmp_path: Path, dense_atlas: Any) -> None:
    func = tmp_path / "fmriprep/sub-01/func"
    func.mkdir(parents=True)
    image, _ = write_dense(func, dense_axis(np.arange(100), np.arange(100)))
    study = Study(tmp_path, image, dense_atlas, "fsLR", "none")
    features = study.model.embed(str(image), atlas=str(study.atlas))
    np.testing.assert_array_equal(features, study.by_the_workflow("pooled"))


def test_a_table_of_confounds_may_lie_elsewhere(tmp_path: Path, atlas: Any) -> None:
    study = volumes(tmp_path, atlas)
    expected = study.by_the_workflow("pooled")
    (table,) = study.image.parent.glob("*_timeseries.tsv")
    for ending in (".tsv", ".json"):
        table.with_suffix(ending).rename(tmp_path / f"mine{ending}")
    with pytest.raises(UserError, match=r"cannot be embedded: no confounds table beside sub-01"):
        study.model.embed(study.image, atlas=study.atlas)
    moved = study.model.embed(study.image, atlas=study.atlas, confounds=tmp_path / "mine.tsv")
    embedder = semantoks.Embedder(study.model, atlas=study.atlas)
    of_pair = embedder.fit_transform([(study.image, tmp_path / "mine.tsv")])
    np.testing.assert_array_equal(of_pair[0], moved)
    np.testing.assert_array_equal(moved, expected)


def test_the_tr_of_an_image_without_a_sidecar_is_asked_for(tmp_path: Path, atlas: Any) -> None:
    study = volumes(tmp_path, atlas)
    study.image.with_name(study.image.name.replace(".nii.gz", ".json")).unlink()
    with pytest.raises(UserError, match="cannot be embedded: no repetition time: there is no sub-"):
        study.model.embed(study.image, atlas=study.atlas)
    features = study.model.embed(study.image, atlas=study.atlas, repetition_time=2.5)
    np.testing.assert_array_equal(features, study.by_the_workflow("pooled"))


def test_an_image_that_does_not_fit_is_refused_in_a_sentence(tmp_path: Path, atlas: Any) -> None:
    study = volumes(tmp_path, atlas)
    (tmp_path / "series.csv").touch()
    model, image, other = study.model, study.image, tmp_path / "other_dseg.nii.gz"
    for options, message in (
        ({}, "needs the atlas toy, which is not built in"),
        ({"atlas": tmp_path / "no.nii.gz"}, "There is no atlas at"),
        ({"atlas": image}, "the table of its regions, is missing"),
    ):
        with pytest.raises(UserError, match=message):
            model.embed(image, **options)
    raw = tmp_path / "sub-01_task-rest_bold.nii.gz"
    raw.write_bytes(image.read_bytes())
    for path, message in (
        (tmp_path / "series.csv", "is not a preprocessed image"),
        (tmp_path / "none.csv", "There is no file or folder at .*none.csv"),
        (tmp_path / "x.nii.gz", "There is no image at"),
        (raw, "sub-01_task-rest_bold.nii.gz is not named as a preprocessed image of fMRIPrep"),
    ):
        with pytest.raises(UserError, match=message):
            model.embed(path, atlas=study.atlas)
    moved = nib.load(study.atlas)
    nib.save(nib.Nifti1Image(np.flip(moved.get_fdata(), 0).astype(np.int16), moved.affine), other)
    for ending in ("tsv", "json"):
        (tmp_path / f"other_dseg.{ending}").write_bytes(
            (tmp_path / f"atlas-toy_dseg.{ending}").read_bytes()
        )
    with pytest.raises(UserError, match="does not fit the model: atlas_sha256 is"):
        model.embed(image, atlas=other)
    (study.data / "dataset_description.json").unlink()
    with pytest.raises(UserError, match="engine is , expected fMRIPrep 25.2.7"):
        model.embed(image, atlas=study.atlas)
    model.embed(image, atlas=study.atlas, allow_mismatch=["engine"])


def test_a_model_that_does_not_say_how_to_read_images_is_no_use_for_them(
    tmp_path: Path, atlas: Any
) -> None:
    study = volumes(tmp_path, atlas)
    for confounds, message in (
        ("aCompCor of the lab", "which is no strategy of this workflow"),
        ("as given", "Leave `confounds` out"),
    ):
        encoder = study.model.encoder
        encoder.manifest = read_manifest(study.shard).model_copy(update={"confounds": confounds})
        with pytest.raises(UserError, match=message):
            study.model.embed(study.image, atlas=study.atlas, confounds=tmp_path / "x.tsv")
    study.model.encoder.manifest = None
    with pytest.raises(UserError, match="reference checkpoint, which does not say"):
        study.model.embed(study.image)


def test_a_built_in_atlas_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = read_atlas("seitzman300", None)
    (image,) = tmp_path.rglob("atlas-seitzman300_dseg.nii.gz")
    written = image.stat().st_mtime_ns
    assert read_atlas("seitzman300", None).sha256 == first.sha256
    assert image.stat().st_mtime_ns == written and len(first.regions) == 300
