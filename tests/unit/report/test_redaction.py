"""Nothing that the user of a configuration wrote freely leaves with the report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from semantoks.artifacts.tables import read_table, write_table
from semantoks.commands.run import run_stage
from semantoks.commands.stages import STAGES
from semantoks.config import Config
from semantoks.report.redaction import HIDDEN, SHOWN, SPECIAL, _holds_text, redacted
from semantoks.report.settings import ReportSettings
from tests.unit.report.conftest import TASKS

MARKERS = ("SECRET", "sub-", "/home", "Jane")
PHENOTYPE = {
    "kind": "classification",
    "column": "DX_GROUP",
    "values": {"SECRETCODE": "SECRETCLASS", 2: "control"},
    "include": {"SITE_ID": {"values": ["SECRETHOSPITAL"]}, "AGE": {"min": 18}},
    "train_people": 1234,
    "test_people": 3,
    "splits_file": "/home/SECRETUSER/splits.tsv",
    "title": "Autism",
    "data": "SECRETSOURCE",
    "terms": "SECRETTERMS",
    "sources": {"SECRETCLAIM": "SECRETPAGE"},
    "published": [{"model": "BrainLM", "value": 0.5, "protocol": "p", "source": "arXiv"}],
}
CONFIG: dict[str, Any] = {
    "atlas": "mine",
    "atlases": {"mine": {"image": "/home/a.nii", "table": "SECRET.tsv", "space": "MNI152"}},
    "atlas_dir": "/home/SECRETUSER/atlases",
    "datasets": {
        "raw": {
            "path": "/home/SECRETUSER/raw",
            "participants": ["SECRETTABLE.tsv", "/home/SECRETUSER/*.csv"],
            "participant_column": ["id", "EID"],
            "participant_pattern": "SECRETSTUDY_([0-9]+)",
            "skip_rows": {"SECRETTABLE*": 1, "*.csv": 2},
            "visits": {"column": "visit", "keep": "SECRETVISIT"},
            "age_column": ["p21003_i2", "AGE"],
            "sex_column": "SEX",
            "motion_column": "func_mean_fd",
            "missing_values": ["SECRETCODE", -1234],
            "folders": ["SECRETSTUDY/Site-*"],
            "link_targets": ["/home/SECRETUSER/store"],
            "repetition_time": {"SITE_ID": {"SECRETHOSPITAL": 2.0, "SECRETCLINIC": 2.5}},
            "task": "SECRETTASK",
            "hold_out": "/home/SECRETUSER/held_out.tsv",
            "exclude": "/home/SECRETUSER/SECRETEXCLUDED.tsv",
            "entities": {"acq": ["SECRETPROTOCOL", None], "run": 2},
            "t1w_entities": {"rec": "SECRETREC"},
            "phenotypes": {"dx": PHENOTYPE},
            "events": {
                "path": "/home/SECRETUSER/events",
                "files": {"SECRETTRIAL": "{participant}/SECRETEV1.txt"},
                "include": {"trial_type": ["SECRETTRIAL"]},
                "seconds": 20,
            },
        },
        "images": {
            "path": "/home/SECRETUSER/images",
            "source": "fmriprep",
            "template": "SECRETSTUDY/{participant}.nii.gz",
            "registration": "SECRETSTUDY/{participant}_warp.nii.gz",
            "regions": "SECRET.tsv",
        },
        "series": {
            "path": "Jane",
            "source": "timeseries",
            "variable": "SECRETNAME",
            "hold_out": 1623,
        },
        "other": {
            "path": "/home/SECRETUSER/other",
            "template": "SECRETSTUDY/{participant}/vol_*",
            "t1w_template": "SECRETSTUDY/{participant}/t1.nii",
        },
    },
    "preprocessing": {
        "engine": "fmriprep",
        "fmriprep": {
            "runner": "apptainer",
            "image": "/home/SECRETUSER/fmriprep.sif",
            "license": "/home/SECRETUSER/license.txt",
            "arguments": ["--skull-strip-template", "SECRET", "--random-seed=1234"],
        },
    },
    "models": {"given": {"checkpoint": "/home/SECRETUSER/model.pth"}, "own": {}},
    "representations": {
        "elsewhere": {"path": "/home/SECRETUSER/features.npy", "ids": "SECRETIDS.txt"},
        "package": {"encoder": "SECRETENCODER"},
    },
    "combined": {"mine": ["given", "fc", "elsewhere"]},
    "importance": {"representations": ["fc"], "phenotypes": ["dx"]},
    "finetune": {"models": ["given"], "splits": 3},
    "variants": {
        "lax": {"datasets": {"raw": {"missing_values": ["SECRETCODE"], "hold_out": 1234}}}
    },
}


def leaks(text: str) -> list[str]:
    return [marker for marker in MARKERS if marker in text]


def test_no_free_text_is_left_but_what_the_page_needs() -> None:
    config = Config.model_validate(CONFIG)
    assert leaks(config.model_dump_json()) == ["SECRET", "/home", "Jane"]
    shown = redacted(config)
    assert leaks(shown.model_dump_json()) == [] and "1234" not in shown.model_dump_json()
    raw, phenotype = shown.datasets["raw"], shown.datasets["raw"].phenotypes["dx"]
    assert raw.path == HIDDEN and raw.missing_values == [HIDDEN]
    assert raw.participants == [HIDDEN] and raw.participant_column == ["id", "EID"]
    assert raw.participant_pattern == HIDDEN and raw.visits and raw.visits.keep == HIDDEN
    assert raw.skip_rows == {f"{HIDDEN} 1": 1, f"{HIDDEN} 2": 2}
    assert raw.age_column == ["p21003_i2", "AGE"]
    assert raw.repetition_time == {"SITE_ID": {f"{HIDDEN} 1": 2.0, f"{HIDDEN} 2": 2.5}}
    assert raw.entities == {"acq": [HIDDEN, None], "run": 2}
    assert phenotype.title == "Autism" and phenotype.published[0].model == "BrainLM"
    assert phenotype.include["AGE"].min == 18
    assert (phenotype.train_people, phenotype.test_people) == (1235, 5)
    assert shown.models["given"].checkpoint == HIDDEN and shown.models["own"].checkpoint is None
    assert shown.preprocessing.fmriprep.arguments == ["--skull-strip-template", "--random-seed"]
    assert (raw.hold_out, shown.datasets["series"].hold_out) == (HIDDEN, 1625)
    assert shown.combined == {"mine": ["given", "fc", "elsewhere"]}  # the page names its rows
    assert shown.representations["elsewhere"].path == HIDDEN
    assert shown.representations["package"].encoder == HIDDEN
    assert shown.finetune == config.finetune  # as it names the rows of models
    assert shown.variants == {"lax": {"datasets": HIDDEN}}
    assert redacted(shown) == shown


def test_settings_hide_free_texts_unless_the_user_allows_them() -> None:
    content = {"config": CONFIG}
    assert leaks(ReportSettings.model_validate(content).model_dump_json()) == []
    content["report"] = {"participants": True}
    assert leaks(ReportSettings.model_validate(content).model_dump_json())


def fields(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Every field of a model that is no model itself, and those of the models inside."""
    for name, field in model.model_fields.items():
        inside = _models(field.annotation)
        if not inside:
            yield name, field.annotation
        for part in inside:
            yield from fields(part)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def test_this_test_knows_every_text_of_the_configuration() -> None:
    """A new key of free text must get a marker in `CONFIG`, or a place in `SHOWN`."""
    known = set(_keys(CONFIG)) | SHOWN | set(SPECIAL)
    assert {name for name, annotation in fields(Config) if _holds_text(annotation)} <= known


def _keys(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield from map(str, content)
        content = list(content.values())
    for part in content if isinstance(content, list) else ():
        yield from _keys(part)


@pytest.mark.parametrize("participants", [False, True])
def test_the_folder_of_the_report_has_no_free_text(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, participants: bool
) -> None:
    """Page, table and sidecars, by the command that the workflow runs."""
    monkeypatch.chdir(results)
    # Only the data set that there are results of.
    content = CONFIG | {
        "datasets": {"toy": CONFIG["datasets"]["raw"]},
        "models": {"given": CONFIG["models"]["given"]},
    }
    settings = {"report": {"participants": participants}, "config": content}
    scans = read_table(Path("toy.parquet"))
    scans.loc[scans["status"] == "excluded", "reason"] = "/home/Jane/SECRET.nii is missing"
    write_table(tmp_path / "toy.parquet", scans)
    left_out = tmp_path / "toy/left_out.tsv"
    left_out.parent.mkdir()
    left_out.write_text("participant_id\treason\nsub-SECRET\tno scan in SECRET.tsv\n")
    for phenotype in TASKS:
        shutil.copy(f"{phenotype}.json", tmp_path)
    for folder in ("cards", "confounds"):
        shutil.copytree(folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)  # as in the workflow, inputs are below the folder of the run
    options = {
        "benchmarks": [Path(f"{phenotype}.json") for phenotype in TASKS],
        "scans": [Path("toy.parquet")],
        "metrics": [],
        "cards": [Path("cards/toy/fc.json")],
        "left_out": [Path("toy/left_out.tsv")],
        "confounds": [Path("confounds/toy.parquet")],
        "importance": [],
        "maps": [],
        "scaling": [],
        "variants": [],
        **{name: [] for name in ("scores", "predictions", "participants")},
    }
    out = Path("report/index.html")
    out.parent.mkdir()
    run_stage(STAGES["report"], json.dumps(settings), out, options)
    texts = {path.name: path.read_text() for path in out.parent.iterdir()}
    assert len(texts) == 4
    assert "phenotypes" in texts["index.html.provenance.json"]
    if participants:
        assert leaks(texts["index.html"]) == list(MARKERS)
        assert leaks(texts["index.html.provenance.json"])
    else:
        assert not any(leaks(text) for text in texts.values())
        # Sites are no classes here, so their names do not belong onto the page.
        assert not any("north" in text or "south" in text for text in texts.values())


def test_keys_that_override_a_preset_by_the_default_stay() -> None:
    keys = {"path": "/x", "preset": "abide", "source": "timeseries"}
    keys |= {"shards": 1, "site_column": None, "phenotypes": {}}
    config = Config.model_validate({"datasets": {"mine": keys}})
    shown = redacted(config).datasets["mine"]
    assert (shown.shards, shown.site_column) == (1, None)
