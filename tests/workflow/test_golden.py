"""A stage whose output changes must say so: raise `version` in its settings.py.

After a wanted change: raise the number, then
`python -m pytest tests/workflow/test_golden.py --write`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

from semantoks.artifacts.files import read_json, write_json
from semantoks.artifacts.tables import read_table, write_table
from semantoks.artifacts.timeseries import Manifest, iter_scans
from semantoks.commands.stages import STAGES
from semantoks.config import Architecture, ConnectomeMap, Phenotype, Probe
from semantoks.data.samples.settings import SamplesSettings
from semantoks.data.samples.stage import samples
from semantoks.finetune.settings import FinetuneSettings
from semantoks.finetune.stage import finetune
from semantoks.model.connectome.settings import ConnectomeSettings
from semantoks.model.connectome.stage import connectome
from semantoks.model.files.checkpoint import save
from semantoks.model.files.connectome import load_connectome
from semantoks.model.network.encoder import Encoder
from semantoks.report.brain_maps.settings import BrainMapsSettings
from semantoks.report.brain_maps.stage import brain_maps
from semantoks.report.scaling_curve.settings import ScalingCurveSettings
from semantoks.report.scaling_curve.stage import scaling_curve
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.benchmark.stage import benchmark
from semantoks.scores.choose.settings import ChooseSettings
from semantoks.scores.choose.stage import choose
from semantoks.scores.network_importance.settings import NetworkImportanceSettings
from semantoks.scores.network_importance.stage import network_importance
from semantoks.scores.split.parts import TEST
from semantoks.scores.vary.settings import VarySettings
from semantoks.scores.vary.stage import vary
from tests.conftest import run_probe, run_represent, run_split, write_cohort
from tests.unit.data.blocks.conftest import Task, write_events
from tests.workspaces import ROOT, SMALL, Workspace

pytestmark = pytest.mark.slow

GOLDEN = ROOT / "tests/golden/stages.json"
TOLERANCE = 0.02  # relative; processors round differently, and registration amplifies it


def versions() -> dict[str, int]:
    return {name: stage.version for name, stage in STAGES.items()}


def spread(values: object) -> list[float]:
    array = np.asarray(values, float)
    array = array[np.isfinite(array)]
    return [float(array.mean()), float(array.std()), float(len(array))]


def scored(folder: Path, manifest: Manifest) -> dict[str, list[float]]:
    """Numbers of probe, choose and benchmark, on drawn time series.

    Scores of a few people turn on the last digits of what was preprocessed, and those differ from
    one processor to another.
    """
    paths, participants = write_cohort(folder, manifest)
    task, scores = Phenotype(kind="regression"), []
    splits = folder / "splits.parquet"
    run_split(participants, folder / "scans.parquet", splits, name="trait", phenotype=task)
    for name in ("fc", "chance"):
        run_represent(name, paths, participants, folder / f"{name}.parquet")
        scores.append(folder / f"trait-{name}.parquet")
        settings = Probe(repeats=4, permutations=20, inner_folds=2)
        run_probe([folder / f"{name}.parquet"], splits, name, settings, scores[-1])
    best = folder / "best.parquet"
    choose(ChooseSettings(), scores=scores, representation="best", out=best)
    network_importance(
        NetworkImportanceSettings(probe=Probe(repeats=4, inner_folds=2, learning_curve=[])),
        features=folder / "fc.parquet",
        splits=splits,
        networks=paths[0],
        representation="fc",
        out=folder / "losses.tsv",
    )
    by_split = read_table(folder / "losses_splits.parquet")
    settings = BenchmarkSettings(phenotype=task)
    benchmark(settings, scores=scores, dataset="toy", out=folder / "trait.json")
    score = read_table(scores[0])
    rows = read_json(folder / "trait.json")["schemes"][0]["representations"]
    return {
        "probe": spread([score["pearson_r"], score["mae"]]),
        "choose": spread(read_table(best)["mae"]),
        "network_importance": spread(by_split["columns"]),
        "benchmark": spread([row["mae"]["mean"] for row in rows]),
        "vary": varied(folder),
    }


def varied(folder: Path) -> list[float]:
    """Numbers of a variant with other inner folds, of what `scored` has left in the folder."""
    scores, benchmarks = list[Path](), list[Path]()
    for name, folds in (("toy", 2), ("toy~folds", 3)):
        scores.append(folder / f"scores/{name}/trait/fc.parquet")
        settings = Probe(repeats=4, permutations=0, inner_folds=folds)
        run_probe([folder / "fc.parquet"], folder / "splits.parquet", "fc", settings, scores[-1])
        benchmarks.append(folder / f"{name}.json")
        benchmark(BenchmarkSettings(), scores=scores[-1:], dataset=name, out=benchmarks[-1])
    out = folder / "varied.json"
    vary(VarySettings(), benchmarks=benchmarks, scores=scores, out=out)
    (variant,) = read_json(out)["variants"]
    # r of five test participants is not known, and so is its difference.
    return [float(row["splits"]) for row in variant["differences"]]


def blocked(folder: Path) -> dict[str, list[float]]:
    """Numbers of the blocks of a small task, and of their table."""
    folder.mkdir()
    task = Task(folder)
    for person in task.people:
        rows = [f"{onset}\t20\t{onset % 4}" for onset in (10, 43, 76)]
        write_events(task.events_file(person), rows, "onset\tduration\tlevel")
    series = task.cut()["timeseries"]
    people, out = folder / "people.parquet", folder / "participants.parquet"
    write_table(people, pd.DataFrame({"participant_id": task.people, "age": [30, 40]}))
    table = task.results / "atlas-toy_shard-0000_blocks.parquet"
    samples(SamplesSettings(), blocks=[table], participants=people, out=out)
    rows_of_blocks = read_table(out)[["onset", "level", "age"]]
    return {"blocks": spread(np.stack(series.to_list())), "samples": spread(rows_of_blocks)}


def connected(folder: Path, manifest: Manifest) -> dict[str, list[float]]:
    """Numbers of the connectome of drawn time series."""
    folder.mkdir()
    paths, _ = write_cohort(folder, manifest)
    out, settings = folder / "connectome.safetensors", ConnectomeMap(components=5)
    connectome(ConnectomeSettings(map=settings), timeseries=paths, out=out)
    made = load_connectome(out)
    assert made.distilled is not None
    references = (made.plain.covariance_CC, made.without_global_signal.covariance_CC)
    return {"connectome": [*spread(references), *spread(made.distilled.weights_FK**2)]}


def drawn(folder: Path, manifest: Manifest) -> dict[str, list[float]]:
    """Numbers of the mean connectome of the time series that `scored` wrote."""
    table, out = folder / "atlas.tsv", folder / "maps"
    regions = {"index": range(1, len(manifest.networks) + 1), "network": manifest.networks}
    pd.DataFrame(regions).to_csv(table, sep="\t", index=False)
    paths = sorted(folder.glob("shard-*.parquet"))
    brain_maps(BrainMapsSettings(), importance=[], timeseries=paths, atlas_table=table, out=out)
    connectome = pd.read_csv(out / "connectome.tsv", sep="\t", index_col=0)
    return {"brain_maps": spread(connectome), "scaling_curve": scaled(folder)}


def scaled(folder: Path) -> list[float]:
    """Numbers of a curve over two numbers of people, of the scores that `scored` wrote."""
    scores = [folder / "m.parquet", folder / "m@50pct.parquet"]
    for copy in scores:
        shutil.copy(folder / "trait-fc.parquet", copy)
    config = folder / "m@50pct/config.json"
    config.parent.mkdir()
    write_json(config, {"training": {"people": 12, "people_of_all": 24}})
    settings, out = ScalingCurveSettings(), folder / "scaling.json"
    scaling_curve(settings, scores=scores, models=[config], dataset="toy", out=out)
    return [float(len(curve["fitted"])) for curve in read_json(out)["curves"].values()]


def fine_tuned(folder: Path, manifest: Manifest) -> dict[str, list[float]]:
    """Numbers of a model that is fine-tuned on drawn time series."""
    folder.mkdir()
    paths, participants = write_cohort(folder, manifest)
    torch.manual_seed(0)
    encoder = Encoder(
        Architecture.model_validate(SMALL["models"]["tiny"]["architecture"]), manifest.networks
    )
    encoder.manifest = manifest
    save(encoder, folder)
    splits = folder / "splits.parquet"
    task = Phenotype(kind="regression")
    run_split(participants, folder / "scans.parquet", splits, name="trait", phenotype=task)
    settings = {"training": {"splits": 2, "epochs": 3}, "probe": {"inner_folds": 2}}
    finetune(
        FinetuneSettings.model_validate(settings),
        model=folder / "encoder.safetensors",
        timeseries=paths,
        splits=splits,
        representation="tiny-finetuned",
        save=folder / "saved/encoder.safetensors",
        out=folder / "scores.parquet",
    )
    return {"finetune": spread(read_table(folder / "scores.parquet")["mae"])}


def numbers(folder: Path, of_scores: dict[str, list[float]]) -> dict[str, list[float]]:
    """Say in a few numbers what each stage wrote."""
    results, raw = folder / "results", folder / "data/small/bids"
    bold = next(raw.rglob("sub-005*_bold.nii.gz"))
    preprocessed = next(results.glob("preprocessed/**/sub-005*_desc-preproc_bold.nii.gz"))
    atlas = nib.load(folder / "resources/atlases/atlas-seitzman300_dseg.nii.gz")
    scans = list(iter_scans(results.glob("timeseries/small/*.parquet")))
    splits = read_table(results / "splits/small/group.parquet")
    tested = splits.index[splits["random 00"] == TEST]
    leaks = read_json(results / "cards/small/fc.json")["leakage"]

    def features(name: str) -> list[float]:
        table = read_table(results / f"representations/{name}/small.parquet")
        return spread(np.stack(table["features"].to_list()))

    return {
        "simulate": spread(nib.load(bold).get_fdata()),
        "get_atlas": spread(np.bincount(np.asarray(atlas.dataobj).ravel())[1:]),
        "index": spread(read_table(results / "index/small/scans.parquet")["shard"]),
        "preprocess": spread(nib.load(preprocessed).get_fdata()),
        "parcellate": spread([scan.timeseries_CT[:, ::10] ** 2 for scan in scans]),
        "scans": spread(read_table(results / "scans/small.parquet")["mean_fd"]),
        "pretrain": spread(read_table(results / "models/tiny/metrics.parquet")["loss"]),
        "embed": features("tiny"),
        "represent": features("fc"),
        "split": spread(tested),
        "probe": of_scores["probe"],
        "choose": of_scores["choose"],
        "network_importance": of_scores["network_importance"],
        "card": [float(len(leaks))],
        "benchmark": of_scores["benchmark"],
        "vary": of_scores["vary"],
        "scan_page": [
            float(path.read_text().count("data:image/webp"))
            for path in sorted((results / "report/scans/small").glob("*.html"))
        ],
        "report": [
            float(pd.Series((results / "report/index.html").read_text()).str.count("<svg")[0])
        ],
    }


def test_a_changed_output_has_a_new_version(
    finished: Workspace, request: pytest.FixtureRequest, tmp_path: Path, manifest: Manifest
) -> None:
    ours = {
        stage: {"version": versions()[stage], "numbers": values}
        for stage, values in (
            numbers(finished.folder, scored(tmp_path, manifest))
            | blocked(tmp_path / "task")
            | connected(tmp_path / "connectome", manifest)
            | drawn(tmp_path, manifest)
            | fine_tuned(tmp_path / "finetune", manifest)
        ).items()
    }
    if request.config.getoption("--write"):
        GOLDEN.write_text(json.dumps(ours, indent=1) + "\n")
    golden = json.loads(GOLDEN.read_text())
    # What these write is what they were given, or what a package of somebody else returns.
    given = {"get_model", "get_representation", "encode"}
    assert ours.keys() == versions().keys() - given == golden.keys()
    for stage, known in golden.items():
        same = np.allclose(ours[stage]["numbers"], known["numbers"], rtol=TOLERANCE, atol=1e-3)
        assert ours[stage]["version"] == known["version"], f"{stage}: run this test with --write"
        assert same, f"{stage} writes something else: raise `version` in its settings.py"
