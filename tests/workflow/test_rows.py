"""Each row of the paper is one command, from a tree as its holder ships it.

Images are preprocessed and parcellated in other tests (warped ones of UK Biobank, stacks of SRPBS,
sites of HBN, fMRIPrep). Here the tables, the classes, the confounds, the splits and both protocols
of every row are real, and time series are made up.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    OVER_TIME,
    connectivity_fingerprint,
    temporal_fingerprint,
)
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.config import Config, ConfoundColumns, Probe, catalogue
from semantoks.config.preflight.checks import require_files
from semantoks.config.rows import expand_row
from semantoks.data.blocks.settings import BlocksSettings
from semantoks.data.blocks.stage import blocks
from semantoks.data.samples.settings import SamplesSettings
from semantoks.data.samples.stage import samples
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.scans.stage import scans
from semantoks.scores.benchmark.comparison import Comparison
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.benchmark.stage import benchmark
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.probe.stage import probe
from tests import holders
from tests.conftest import run_index, run_represent, run_split, toy_scan
from tests.workspaces import ROOT, environment


@dataclass(frozen=True)
class Row:
    """What somebody types for a row, and what must come out.

    Attributes
    ----------
    holder : callable
        Writes the tree.
    tables : tuple of str
        Below the tree.
    classes : set of str
        Names of the classes.
    confounds : set of str
        Those that the table of participants has.
    keys : dict
        Further keys beside ``row``.
    """

    holder: Callable[..., Path]
    tables: tuple[str, ...]
    classes: set[str]
    confounds: set[str]
    keys: dict[str, Any] = field(default_factory=dict)


UKB = {"age", "sex", "site", "mean_fd"}
UKB_KEYS = {"hold_out": 50}  # of 60
HBN = ("pheno/loris.csv", "pheno/HBN_R*_Pheno.csv")
TESTS = "Behavioural_Data_MPILMBB_LEMON"
META = f"{TESTS}/META_File_IDs_Age_Gender_Education_Drug_Smoke_SKID_LEMON.csv"
LEMON = {"age", "sex"}
SRPBS = {"repetition_time": {"protocol": {1: 2.5, 2: 2.7}}}
# Two readouts, alone and stacked; five baselines and chance; the paper's head on six of them.
PROBES = "16"
SIZES = {"train_people": None, "validation_people": None, "test_people": None}
BINNED = set[str]()  # classes that are cut from numbers
ROWS = {
    "ukb_sex": Row(holders.ukb, ("ukb12345.csv",), {"female", "male"}, UKB - {"sex"}, UKB_KEYS),
    "ukb_age": Row(holders.ukb, ("ukb12345.csv",), BINNED, UKB - {"age"}, UKB_KEYS),
    "hbn_sex": Row(holders.hbn, HBN, {"female", "male"}, {"age"}),
    "hbn_age": Row(holders.hbn, HBN, BINNED, {"sex"}),
    "hbn_celf": Row(holders.hbn, HBN, BINNED, {"age", "sex"}),
    "hbn_wisc": Row(holders.hbn, HBN, BINNED, {"age", "sex"}),
    "srpbs_depression": Row(
        holders.srpbs,
        ("SRPBS_OPEN/participants.tsv",),
        {"control", "depression"},
        {"age", "sex", "site"},
        SRPBS,
    ),
    "srpbs_schizophrenia": Row(
        holders.srpbs,
        ("SRPBS_OPEN/participants.tsv",),
        {"control", "schizophrenia"},
        {"age", "sex", "site"},
        SRPBS,
    ),
    "abide_autism": Row(
        holders.abide,
        ("Phenotypic_V1_0b_preprocessed1.csv",),
        {"autism", "control"},
        {"age", "sex", "site", "mean_fd"},
    ),
    "abide2_autism": Row(
        holders.abide2,
        ("ABIDEII_Composite_Phenotypic.csv",),
        {"autism", "control"},
        {"age", "sex", "site"},
    ),
    "adhd200_adhd": Row(
        holders.adhd200,
        ("ADHD200_CC200_TCs_filtfix/adhd200_preprocessed_phenotypics.tsv",),
        {"control", "ADHD"},
        {"age", "sex", "site"},
    ),
    "lemon_cvlt": Row(
        holders.lemon, (META, f"{TESTS}/Cognitive_Test_Battery_LEMON/CVLT/CVLT.csv"), BINNED, LEMON
    ),
    "lemon_tmt": Row(
        holders.lemon, (META, f"{TESTS}/Cognitive_Test_Battery_LEMON/TMT/TMT.csv"), BINNED, LEMON
    ),
    "lemon_mdbf": Row(
        holders.lemon,
        (META, f"{TESTS}/Emotion_and_Personality_Test_Battery_LEMON/MDBF_Day1.csv"),
        BINNED,
        LEMON,
    ),
    "hcp_ya_sex": Row(holders.hcp_ya, ("unrestricted_hcp.csv",), {"female", "male"}, {"age"}),
}
PEOPLE = 60  # in each tree
# Fewer are scored: those who are held out, of two of three diagnoses, or with a known diagnosis.
SCORED = {
    "ukb_sex": 50,
    "ukb_age": 50,
    "srpbs_depression": 45,
    "srpbs_schizophrenia": 45,
    "adhd200_adhd": 59,
}
# Folder that `path` names, below the root of the tree.
FOLDERS = {
    "abide_autism": "func_preproc",
    "adhd200_adhd": "ADHD200_images",
    "lemon": "MRI_MPILMBB_LEMON/MRI_Raw",
    "abide2_autism": "RawData",
    "srpbs": "SRPBS_OPEN",
}


def folder_of(name: str, root: Path) -> Path:
    return root / FOLDERS.get(name, FOLDERS.get(name.split("_")[0], ""))


def write_tree(name: str, root: Path) -> dict[str, Any]:
    """Write the tree of a row, and return what is typed after ``--config``."""
    row = ROWS[name]
    row.holder(root, people=PEOPLE)
    return {
        "row": name,
        "path": str(folder_of(name, root)),
        "table": [str(root / table) for table in row.tables],
        **row.keys,
    }


def smaller(config: Config) -> Config:
    """The same with parts that 60 people can fill, in a single job, and quick scores."""
    ((name, dataset),) = config.datasets.items()
    ((key, phenotype),) = dataset.phenotypes.items()
    # Plain random draws of so few people may lack a class.
    changed = phenotype.model_copy(update=SIZES | {"stratified": True})
    quick = Probe(protocol="both", repeats=3, permutations=0, inner_folds=2, learning_curve=[])
    datasets = {name: dataset.model_copy(update={"phenotypes": {key: changed}, "shards": 1})}
    return config.model_copy(update={"datasets": datasets, "probe": quick})


def write_series(folder: Path, manifest: Manifest, scans: pd.DataFrame) -> list[Path]:
    """Made-up time series of the scans that `index` lists."""
    rng = np.random.default_rng(0)
    entities = ["scan", "participant_id", "session", "task", "run"]
    rows = scans[entities].assign(
        status="ok", reason="", repetition_time=2.0, seconds=240.0, start=0.0
    )
    is_usable = scans["problem"] == ""
    rows.loc[~is_usable, ["status", "reason"]] = ["excluded", "not usable"]
    arrays = [toy_scan(rng, coherent=bool(n % 2)) if ok else None for n, ok in enumerate(is_usable)]
    rows["fingerprint"] = [f"{n:04x}" for n in range(len(rows))]
    for column, summarize in (
        (CONNECTIVITY, connectivity_fingerprint),
        (OVER_TIME, temporal_fingerprint),
    ):
        rows[column] = [None if array is None else summarize(array) for array in arrays]
    path = folder / "timeseries.parquet"
    write_timeseries(path, rows, arrays, manifest)
    return [path]


def score(config: Config, folder: Path, manifest: Manifest) -> Comparison:
    """Go from the tree to the comparison of a row."""
    (dataset,) = config.datasets.values()
    ((key, phenotype),) = dataset.phenotypes.items()
    index = folder / "index"
    run_index(Path(dataset.path or ""), dataset.participants_tables(), dataset, index)
    timeseries = write_series(folder, manifest, read_table(index / "scans.parquet"))
    participants, table = index / "participants.parquet", folder / "scans.parquet"
    scans(ScansSettings(), timeseries=timeseries, out=table, held_out=index / "held_out.tsv")
    columns = {key: getattr(dataset, key) for key in ConfoundColumns.model_fields}
    parts = folder / "split.parquet"
    run_split(participants, table, parts, name=key, phenotype=phenotype, **columns)
    scores = []
    for name in ("fc", "fc@paper", "confounds", "chance"):
        features, out = (folder / f"{name}_{kind}.parquet" for kind in ("features", "scores"))
        run_represent(name.removesuffix("@paper"), timeseries, participants, features, **columns)
        protocol = "paper" if name.endswith("@paper") else "exact"
        settings = ProbeSettings(
            probe=config.probe.model_copy(update={"protocol": protocol}),
            columns={key: phenotype.column},
            **columns,
        )
        probe(settings, features=[features], splits=[parts], representation=name, out=out)
        scores.append(out)
    out = folder / "comparison.json"
    benchmark(BenchmarkSettings(phenotype=phenotype), scores=scores, dataset="x", out=out)
    return Comparison.model_validate_json(out.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_scored_from_the_tree_of_its_holder(
    name: str, tmp_path: Path, manifest: Manifest
) -> None:
    typed = write_tree(name, tmp_path / "tree")
    config = smaller(Config.model_validate(expand_row(typed)))
    require_files(config, "--config")
    comparison = score(config, tmp_path, manifest)
    row, task = ROWS[name], catalogue.read(name)
    assert comparison.publication is not None
    published = [(score.model, score.value) for score in comparison.publication.published]
    assert published == [(x["model"], x["value"]) for x in task.get("published", [])]
    classes = set(comparison.classes)
    assert classes == row.classes if row.classes else len(classes) == task["bins"]
    (random,) = [scheme for scheme in comparison.schemes if scheme.scheme == "random"]
    assert {x.representation for x in random.representations} == {
        *("fc", "fc@paper", "confounds", "chance")
    }
    sources = read_metadata(tmp_path / "confounds_features.parquet")["sources"]
    of_table = {confound for confound, column in sources.items() if column}
    assert row.confounds <= of_table
    assert comparison.people == SCORED.get(name, PEOPLE)


def test_blocks_of_the_emotion_task_are_cut_from_the_holders_zip_files(
    tmp_path: Path, manifest: Manifest
) -> None:
    root = holders.ukb(tmp_path / "tree", people=6, dialect="rap")
    typed = {"row": "ukb_hariri", "path": str(root), "table": str(root / "ukb12345.csv")}
    config = Config.model_validate(expand_row(typed))
    require_files(config, "--config")
    (dataset,) = config.datasets.values()
    assert dataset.events is not None
    index = tmp_path / "index"
    run_index(root, dataset.participants_tables(), dataset.model_copy(update={"shards": 1}), index)
    (runs,) = write_series(tmp_path, manifest, read_table(index / "scans.parquet"))
    blocks(
        BlocksSettings(events=dataset.events),
        runs=runs,
        shard=index / "shard-0000.tsv",
        data=root,
        out=tmp_path / "cut_timeseries.parquet",
    )
    table = tmp_path / "participants.parquet"
    tables = {"blocks": [tmp_path / "cut_blocks.parquet"], "participants": index / table.name}
    samples(SamplesSettings(), **tables, out=table)
    people = read_table(table)
    # Onsets of shapes: 0, 54, 108, 162 s, of faces: 27, 81, 135, 189 s; 240 s at a TR of 2 s.
    assert people.groupby("person")["trial_type"].value_counts().unique().tolist() == [4]
    assert set(people["trial_type"]) == {"faces", "shapes"} and len(people) == 48
    assert people["p31"].isin(["Female", "Male"]).all()


def test_every_row_is_tested() -> None:
    assert set(ROWS) | {"ukb_hariri"} == set(catalogue.row_names())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ukb_age", "hbn_celf", "srpbs_depression", "abide_autism"])
def test_a_row_is_planned_by_one_command(name: str, tmp_path: Path) -> None:
    typed = write_tree(name, tmp_path / "tree")
    preset, phenotype = catalogue.entry(name)["preset"], name.split("_", 1)[1]
    words = ["--config", *(f"{key}={json.dumps(value)}" for key, value in typed.items())]
    if name == "ukb_age":  # whose parts are larger; keys of a file overrule the row
        changes = {preset: {"phenotypes": {phenotype: SIZES}}}
        (tmp_path / "mine.yaml").write_text(json.dumps({**typed, "datasets": changes}))
        words = ["--configfile", "mine.yaml"]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    done = subprocess.run(
        [*command, "--cores", "1", "--dry-run", *words],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE))
    assert (jobs["get_model"], jobs["benchmark"], jobs["probe"]) == ("1", "1", PROBES), jobs
