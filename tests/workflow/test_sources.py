"""Data sets go to embeddings at the level where they enter, as they were downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml
from nibabel.cifti2 import BrainModelAxis, LabelAxis, SeriesAxis

from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import iter_scans, read_manifest, read_scan_table
from tests.stand_ins.sandbox import Sandbox
from tests.workspaces import SMALL, Workspace

pytestmark = pytest.mark.slow

TRAINING = {"epochs": 1, "batch_size": 2, "warmup_epochs": 0}
TINY = SMALL["models"]["tiny"] | {"training": TRAINING}


def embed(folder: Path, dataset: dict[str, Any], **config: Any) -> tuple[pd.DataFrame, Path]:
    """Run the workflow up to the embeddings; return the scans' table and the time series."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"datasets": {"given": dataset}, "models": {"tiny": TINY}, "baselines": []} | config
    (folder / "mine.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    Workspace(folder).run("embeddings")
    (path,) = folder.glob("results/timeseries/given/*.parquet")
    table = read_scan_table([path])
    embedded = read_table(folder / "results/representations/tiny/given.parquet")
    assert set(embedded["scan"]) == set(table.loc[table["status"] == "ok", "scan"])
    assert np.isfinite(np.stack(embedded["features"])).all()
    return table, path


def test_abide_as_downloaded(tmp_path: Path, shared: Path) -> None:
    """Twelve .1D files of ten sites with their own TR, and the phenotypes' table beside them."""
    seconds = {"NYU": 2.0, "OLIN": 1.5, "UM_1": 2.0, "OHSU": 2.5, "CMU": 2.0, "SDSU": 2.0}
    seconds |= {"TRINITY": 2.0, "SBL": 2.2, "CALTECH": 2.0, "MAX_MUN": 3.0, "YALE": 2.0}
    table, path = embed(
        tmp_path,
        {
            "source": "timeseries",
            "path": str(shared / "data/abide1_pcp_sample"),
            "template": "{participant}_rois_cc200.1D",
            "participants": "Phenotypic_V1_0b_preprocessed1.csv",
            "participant_column": "FILE_ID",
            "missing_values": ["-9999", "no_filename"],
            "repetition_time": {"SITE_ID": seconds},
        },
        atlas="cc200",
        atlas_dir=str(shared / "atlases"),
        parcellation={"min_dof": 5},
    )
    assert len(table) == 12 and (table["status"] == "ok").all(), table["reason"].tolist()
    assert sorted(set(table["repetition_time"])) == [1.5, 2.0, 2.2, 2.5, 3.0]
    manifest = read_manifest(path)
    assert (manifest.atlas, len(manifest.labels), manifest.tr) == ("cc200", 200, 2.0)
    expected = pd.read_csv(shared / "data/abide1_cc200/rois.tsv", sep="\t")["network"]
    assert set(manifest.networks) == set(expected)


def test_stages_has_no_subcortex_that_the_atlas_knows(tmp_path: Path, shared: Path) -> None:
    """Regions go in by name: what is not the paper's is left out, networks without are masked."""
    source = shared / "data/stages_fep_schaefer400_7n"
    given = np.load(source / "timeseries.npz")
    bids = tmp_path / "stages"
    bids.mkdir()
    for session, values in zip(given["session"], given["z_nogsr"], strict=True):
        np.save(bids / f"{session}_timeseries.npy", values.astype(np.float32))
    people = pd.read_csv(source / "participants.tsv", sep="\t")
    people = people.drop_duplicates("participant_id")
    people.to_csv(bids / "participants.tsv", sep="\t", index=False, na_rep="n/a")
    table, path = embed(
        tmp_path,
        {
            "source": "timeseries",
            "path": "stages",
            "regions": str(source / "rois.tsv"),
            "repetition_time": 2.0,
        },
        atlas="semantoks457",
        atlas_dir=str(shared / "atlases"),
    )
    assert len(table) == 92 and (table["status"] == "ok").all()
    assert np.allclose(table["coverage"], 400 / 457)
    scan = next(iter_scans([path]))
    assert np.isnan(scan.timeseries_CT[400:]).all() and np.isfinite(scan.timeseries_CT[:400]).all()


def test_mist_122_has_a_table_and_no_image(tmp_path: Path, shared: Path) -> None:
    """A table of regions and networks is enough of an atlas for time series."""
    source = shared / "data/rpn_pain_mist122"
    content = np.load(source / "timeseries.npz")
    people = pd.read_csv(source / "participants.tsv", sep="\t").head(6)
    regions = [str(name) for name in content["regions"]]
    root = tmp_path / "rpn"
    root.mkdir()
    for person in people["participant_id"]:
        values = pd.DataFrame(content[person], columns=regions)
        values.to_csv(root / f"{person}.tsv", sep="\t", index=False)
    people.to_csv(root / "participants.tsv", sep="\t", index=False, na_rep="n/a")
    rows = "".join(f"{n}\t{name}\tN{n % 4}\n" for n, name in enumerate(regions, 1))
    (tmp_path / "mist122.tsv").write_text(f"index\tname\tnetwork\n{rows}")
    table, path = embed(
        tmp_path,
        {
            "source": "timeseries",
            "path": "rpn",
            "template": "{participant}.tsv",
            "repetition_time": "tr",
        },
        atlas="mist122",
        atlases={"mist122": {"table": "mist122.tsv"}},
    )
    assert len(table) == 6 and (table["status"] == "ok").all(), table["reason"].tolist()
    assert read_manifest(path).labels == tuple(regions)
    written = sorted(file.name for file in (tmp_path / "resources/atlases").glob("*dseg*"))
    assert written == [
        f"atlas-mist122_dseg.{ending}"
        for ending in ("json", "json.provenance.json", "tsv", "tsv.provenance.json")
    ]


def test_cifti_beside_volumes_with_real_confounds(tmp_path: Path, shared: Path) -> None:
    """A made-up CIFTI run and a volume run, each with a table that fMRIPrep wrote."""
    confounds = shared / "data/bold_small/fmriprep_confounds/test-v21_desc-confounds_timeseries.tsv"
    rows = pd.read_csv(confounds, sep="\t")
    rows = pd.concat([rows, rows[:0:-1]])  # there and back: 30 volumes are too few to filter
    root = tmp_path / "données fmriprep"  # spaces and accents are usual
    for person in ("01", "02", "03"):
        write_cifti(root, person, rows, confounds.with_suffix(".json"))
    (root / "participants.tsv").write_text(
        "participant_id\tage\n" + "".join(f"sub-{p}\t30\n" for p in ("01", "02", "03"))
    )
    about = {"Name": "x", "GeneratedBy": [{"Name": "fMRIPrep", "Version": "21.0.1"}]}
    (root / "dataset_description.json").write_text(json.dumps(about))
    own = {
        "image": str(tmp_path / "own.dlabel.nii"),
        "table": str(tmp_path / "own.tsv"),
        "space": "fsLR",
    }
    table, path = embed(
        tmp_path,
        {"source": "fmriprep", "path": str(root)},
        atlas="own",
        atlases={"own": own},
        parcellation={"min_seconds": 30, "min_dof": 1, "motion": "basic", "max_mean_fd": 5},
    )
    assert (table["status"] == "ok").all(), table["reason"].tolist()
    assert table["tsnr"].between(5, 500).all() and table["mean_fd"].notna().all()
    manifest = read_manifest(path)
    assert (manifest.space, manifest.engine) == ("fsLR", "fMRIPrep 21.0.1")
    assert manifest.networks == ("A", "A", "B", "B")


def write_cifti(root: Path, person: str, confounds: pd.DataFrame, about: Path) -> None:
    """Write a run of both cortices with 200 vertices each, and once the atlas."""
    axis = BrainModelAxis.from_surface(np.arange(200), 200, "CIFTI_STRUCTURE_CORTEX_LEFT")
    axis = axis + BrainModelAxis.from_surface(np.arange(200), 200, "CIFTI_STRUCTURE_CORTEX_RIGHT")
    labels = np.repeat([1, 2, 3, 4], 100)[None].astype(np.float32)
    names = LabelAxis(["own"], {i: (f"r{i}", (0, 0, 0, 1)) for i in range(5)})
    nib.save(nib.Cifti2Image(labels, (names, axis)), root.parent / "own.dlabel.nii")
    (root.parent / "own.tsv").write_text(
        "index\tname\tnetwork\n1\tr1\tA\n2\tr2\tA\n3\tr3\tB\n4\tr4\tB\n"
    )
    func = root / f"sub-{person}/func"
    func.mkdir(parents=True)
    stem = func / f"sub-{person}_task-rest"
    shape = (len(confounds), 400)
    data = np.random.default_rng(int(person)).normal(100, 3, shape).astype(np.float32)
    image = nib.Cifti2Image(data, (SeriesAxis(0, 3.0, len(confounds)), axis))
    nib.save(image, f"{stem}_space-fsLR_den-91k_bold.dtseries.nii")
    Path(f"{stem}_space-fsLR_den-91k_bold.json").write_text('{"RepetitionTime": 3.0}')
    table = Path(f"{stem}_desc-confounds_timeseries.tsv")
    confounds.to_csv(table, sep="\t", index=False, na_rep="n/a")
    table.with_suffix(".json").write_bytes(about.read_bytes())


def test_raw_data_go_through_fmriprep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index, docker by its wrapper, and regional means; docker and fMRIPrep are stand-ins."""
    sandbox = Sandbox(tmp_path, monkeypatch)
    people = ("01", "02", "03")
    for person in people:
        sandbox.add_file(f"sub-{person}/anat/sub-{person}_T1w.nii.gz")
    sandbox.bids.joinpath("task-rest_bold.json").write_text('{"RepetitionTime": 2.0}')
    sandbox.bids.joinpath("dataset_description.json").write_text(
        '{"Name": "x", "BIDSVersion": "1.9"}'
    )
    rows = "".join(f"sub-{person}\t30\n" for person in people)
    sandbox.bids.joinpath("participants.tsv").write_text(f"participant_id\tage\n{rows}")
    config = {
        "datasets": {"given": {"path": str(sandbox.bids)}},
        "preprocessing": {
            "engine": "fmriprep",
            "fmriprep": {"runner": "docker", "license": str(sandbox.folder / "license.txt")},
        },
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
    Workspace(tmp_path).run("timeseries")
    (path,) = tmp_path.glob("results/timeseries/given/*.parquet")
    assert read_manifest(path).engine == "fMRIPrep 25.2.7"
    assert len(read_scan_table([path])) == 4
    status = pd.read_csv(next(tmp_path.glob("results/preprocessed/given/*/scans.tsv")), sep="\t")
    assert (status["status"] == "ok").all() and (status["n_volumes"] == 12).all()
    assert any("nipreps/fmriprep:25.2.7" in words for words in sandbox.commands("docker"))
    assert "Nothing to be done" in Workspace(tmp_path).run("timeseries").stderr
