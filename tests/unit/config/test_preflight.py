"""What the table and the folders show is said before anything is planned."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from semantoks.config.preflight.checks import require_files
from semantoks.config.preflight.notes import table_notes
from semantoks.config.schema import Config
from semantoks.errors import UserError

ROWS = [{"participant_id": f"sub-{i:02}", "age": 20 + i, "sex": "MF"[i % 2]} for i in range(40)]


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    lines = [list(rows[0]), *[[str(cell) for cell in row.values()] for row in rows]]
    text = "".join("\t".join(line) + "\n" for line in lines)
    (folder / "participants.tsv").write_text(text)


def check(folder: Path, rows: list[dict[str, Any]] | None = None, **changes: Any) -> None:
    write(folder, rows or ROWS)
    outer = {key: changes.pop(key) for key in ("probe", "splits", "baselines") if key in changes}
    dataset = {"path": str(folder), "source": "timeseries", "phenotypes": {"age": "regression"}}
    content = {"datasets": {"my_data-2": dataset | changes}, **outer}
    require_files(Config.model_validate(content), "mine.yaml")


def with_column(name: str, *values: Any) -> list[dict[str, Any]]:
    return [row | {name: values[i % len(values)]} for i, row in enumerate(ROWS)]


def test_a_tidy_table_passes(tmp_path: Path) -> None:
    check(tmp_path, phenotypes={"age": "regression", "sex": "classification"})


@pytest.mark.parametrize(
    ("rows", "changes", "sentence"),
    [
        (ROWS, {"phenotypes": {"Age": "regression"}}, r"no column 'Age'.*Did you mean 'age'\?"),
        (ROWS, {"participant_column": "id"}, "no column 'id'"),
        (ROWS, {"site_column": "Site"}, "no column 'Site'"),
        (ROWS, {"repetition_time": "TR"}, "no column 'TR'"),
        (
            ROWS,
            {"phenotypes": {"sex": "classification"}, "splits": {"match": ["iq"]}},
            "no column 'iq' .* splits.match",
        ),
        (
            ROWS,
            {"phenotypes": {"age": {"kind": "regression", "include": {"iq": {"min": 70}}}}},
            "no column 'iq'.*include",
        ),
        (with_column("age", 30, 31, 32, -9999), {}, "-9999 in 10 of 40 rows.*missing_values"),
        (with_column("site", "A", "a"), {"site_column": "site"}, "'A' .* and 'a'"),
        (with_column("family", 1, 2, -9), {"group_column": "family"}, "-9 in .*missing_values"),
        (with_column("sex", "M", "F", "m"), {}, "'M' .* and 'm'"),
        (with_column("sex", "M", "F", "male"), {}, "'M' .* and 'male'.*`values`"),
        (
            with_column("sex", "M", "F", "male"),
            {
                "phenotypes": {
                    "age": {"kind": "regression", "include": {"sex": {"values": ["M"]}}}
                },
                "baselines": ["fc"],
            },
            "`include.sex` has 'M', and the table also has 'male'",
        ),
        (with_column("age", 30, 31, "unknown"), {}, "must be numeric, but holds 'unknown'"),
        (ROWS, {"phenotypes": {"sex": "regression"}}, "table, or set `kind: classification`"),
        (ROWS, {"phenotypes": {"age": "classification"}}, "Set `kind: regression` if these are"),
        (
            with_column("age", 30, 31, "25Y"),
            {"phenotypes": {"sex": "classification"}, "baselines": ["fc"]},
            "column 'age' .* must be numeric, but holds '25Y'",
        ),
        (
            with_column("iq", 90, "n.d.", 100, 101, 102, 103),
            {"phenotypes": {"age": {"kind": "regression", "include": {"iq": {"min": 70}}}}},
            "`include.iq`: the column must be numeric, but holds 'n.d.'",
        ),
        (
            with_column("iq", "90,5", "100,5", "101,5", "102,5", "103,5"),
            {"phenotypes": {"sex": "classification"}, "splits": {"match": ["iq"]}},
            "'iq' .* should be numeric, but holds '100,5'",
        ),
        (
            with_column("dx", *["a"] * 12, "b"),
            {"phenotypes": {"dx": "classification"}},
            "class 'b' has 3 participants in the table, but at least 5",
        ),
        (
            with_column("dx", *["a"] * 6, "b"),
            {"phenotypes": {"dx": "classification"}, "probe": {"inner_folds": 10}},
            "class 'b' has 5 participants .* so 4 in a training part, but at least 10",
        ),
        (
            ROWS,
            {"phenotypes": {"age": {"kind": "regression", "train_people": 500}}},
            "40 participants .* too few for 508 in training and 10 in the test part",
        ),
        (ROWS, {"probe": {"inner_folds": 20}}, "a training part has 30 participants, .* 40 are"),
        (
            with_column("iq", *[90, 95, 100] * 4, 130),
            {"phenotypes": {"iq": {"kind": "classification", "edges": [93, 120]}}},
            "class '120 and above' has 3 participants in the table, .* 5 .*Change `edges`",
        ),
        (
            with_column("iq", 90, 95, 100),
            {"phenotypes": {"iq": {"kind": "classification", "edges": [93, 120]}}},
            "is in the class '120 and above' of `edges`; values range from 90 to 100",
        ),
        (
            with_column("dx", "a", "b"),
            {"phenotypes": {"dx": {"kind": "classification", "match": ["iq"]}}},
            "no column 'iq' .* datasets.my_data-2.phenotypes.dx.match",
        ),
        (
            with_column("site", "A", "B"),
            {"repetition_time": {"site": {"C": 2.0}}},
            r"lists no TR for site 'A' \(20 participants",
        ),
        (with_column("TR", "2.0", "2,5"), {"repetition_time": "TR"}, "'2,5'"),
        (ROWS, {"phenotypes": {"age": {"kind": "regression", "splits_file": "no.tsv"}}}, "no.tsv"),
        (ROWS, {"hold_out": "no.tsv"}, "hold_out: there is no file no.tsv"),
        (ROWS, {"exclude": "no.tsv"}, "exclude: there is no file no.tsv"),
        (ROWS, {"exclude": "~/bad.tsv"}, "where ~ is not replaced by your home folder"),
        (ROWS, {"hold_out": "~/people.tsv"}, "where ~ is not replaced by your home folder"),
        (
            ROWS,
            {
                "hold_out": 20,
                "phenotypes": {"age": {"kind": "regression", "train_people": 16, "test_people": 8}},
            },
            "hold_out is 20, but phenotypes.age needs 24 people for its parts",
        ),
        (ROWS, {"path": "~/data"}, "where ~ is not replaced by your home folder"),
        (ROWS, {"path": "nowhere", "participants": "/dev/null"}, "there is no nowhere"),
    ],
)
def test_one_sentence(
    tmp_path: Path, rows: list[dict[str, Any]], changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        check(tmp_path, rows, **changes)


def test_phenotypes_may_be_columns_of_the_events(tmp_path: Path) -> None:
    """Those of the first people are looked at; with none, the stage `split` checks them."""
    pain = {"kind": "regression", "column": "rating", "include": {"trial_type": {"values": ["a"]}}}
    task: dict[str, Any] = {"repetition_time": 2.0, "events": {}, "phenotypes": {"pain": pain}}
    check(tmp_path, **task)
    file = tmp_path / "sub-01/func/sub-01_task-pain_events.tsv"
    file.parent.mkdir(parents=True)
    file.write_text("onset\tduration\trating\ttrial_type\n")
    check(tmp_path, **task)
    with pytest.raises(UserError, match=r"no column 'ratings' in participants.tsv and the events"):
        check(tmp_path, **task | {"phenotypes": {"ratings": "regression"}})
    with pytest.raises(UserError, match="no column 'rating' in participants.tsv"):
        check(tmp_path, **task | {"events": {"files": {"a": "{participant}.txt"}}})
    with pytest.raises(UserError, match="no column 'trial_type' in participants.tsv"):
        check(tmp_path, **task, site_column="trial_type")
    with pytest.raises(UserError, match=r"my_data-2.events.path: there is no folder /nowhere"):
        check(tmp_path, **task | {"events": {"path": "/nowhere"}})


def test_a_confound_without_numbers_is_said(tmp_path: Path) -> None:
    def sentences(*ages: object) -> list[str]:
        rows = with_column("age", *ages)
        check(tmp_path, rows, phenotypes={"sex": "classification"})
        dataset = {"path": str(tmp_path), "phenotypes": {"sex": "classification"}}
        config = Config.model_validate({"datasets": {"a": dataset}})
        return [
            sentence
            for sentence in table_notes(config.datasets["a"], config)
            if "is not used as" in sentence
        ]

    (sentence,) = sentences("25Y", "30Y")
    assert "column 'age' of participants.tsv is not used" in sentence and "'25Y'" in sentence
    assert not sentences("22-25", "26-30", "36+", 40)
    assert not sentences(22, 30)


@pytest.mark.parametrize("is_described", [True, False])
def test_derivatives_are_not_raw(tmp_path: Path, is_described: bool) -> None:
    if is_described:
        description = tmp_path / "dataset_description.json"
        description.write_text(json.dumps({"DatasetType": "derivative"}))
    else:
        image = tmp_path / "sub-01/func/sub-01_task-rest_space-MNI152_desc-preproc_bold.nii.gz"
        image.parent.mkdir(parents=True)
        image.touch()
    with pytest.raises(UserError, match="holds preprocessed images, but its source is `bids`"):
        check(tmp_path, source="bids")


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        (["sub-01/sub-01_timeseries.tsv"], {}),
        (["rois/01.1D"], {"template": "rois/{participant}.1D"}),
    ],
)
def test_a_data_set_without_any_tr(
    tmp_path: Path, files: list[str], changes: dict[str, Any]
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        text = '{"RepetitionTime": 2}' if "T1w" in name else "{}"
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=r"my_data-2: no file of .* states the repetition time"):
        check(tmp_path, **changes)
    check(tmp_path, **changes, repetition_time=2.0)
    (tmp_path / "bold.json").write_text('{"RepetitionTime": 2}')
    check(tmp_path, **changes)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("sub-02_timeseries.mat", "timeseries"),
        # `index` reads the headers.
        ("sub-02/func/sub-02_task-rest_bold.nii.gz", "bids"),
        ("sub-02/func/sub-02_task-rest_space-MNI152_bold.nii", "fmriprep"),
    ],
)
def test_files_that_may_state_their_tr_pass(tmp_path: Path, name: str, source: str) -> None:
    (tmp_path / "sub-01_timeseries.tsv").touch()
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    check(tmp_path, source=source)


def test_each_folder_of_a_data_set_is_checked(tmp_path: Path) -> None:
    """Sites are raw and state a TR, or not; what is beside them does not count."""
    name = "sub-01/func/sub-01_task-rest"
    for site in ("RU", "SI"):
        image = tmp_path / f"MRI/Site-{site}" / f"{name}_bold.nii.gz"
        image.parent.mkdir(parents=True)
        image.touch()
    folders = {"source": "bids", "folders": ["MRI/Site-*"]}
    check(tmp_path, **folders)
    image.rename(image.with_name(f"{Path(name).name}_space-MNI152_desc-preproc_bold.nii.gz"))
    with pytest.raises(UserError, match="MRI/Site-SI holds preprocessed images, but its source"):
        check(tmp_path, **folders)
    check(tmp_path, **folders | {"folders": ["MRI/Site-RU"]})
    with pytest.raises(UserError, match=r"my_data-2.folders has 'Site-\*', .* no folder fits"):
        check(tmp_path, **folders | {"folders": ["Site-*"]})


def test_raw_images_in_another_layout_pass(tmp_path: Path) -> None:
    for name in ("01/rest/vol_0001", "01/t1.nii", "01/rest.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    layout = {"source": "bids", "t1w_template": "{participant}/t1.nii"}
    check(tmp_path, **layout, template="{participant}/rest.nii.gz")
    check(tmp_path, **layout, template="{participant}/rest/vol_*", repetition_time=2.0)


def test_a_data_set_one_level_down_is_seen(tmp_path: Path) -> None:
    for site in ("RU", "SI"):
        (tmp_path / f"MRI/Site-{site}/sub-01").mkdir(parents=True)
    content = {"datasets": {"hbn": {"path": str(tmp_path)}}}
    expected = (
        r'there is no .*participants.tsv. .* set `folders: \["MRI/Site-\*"\]` of the data set'
    )
    with pytest.raises(UserError, match=expected):
        require_files(Config.model_validate(content), "mine.yaml")


def test_links_that_leave_are_not_read(tmp_path: Path) -> None:
    root, others = tmp_path / "data", tmp_path / "home"
    for folder in (root, others):
        folder.mkdir()
    (root / "sub-01_timeseries.tsv").touch()
    (others / "bold.json").write_text('{"RepetitionTime": 2}')
    (root / "everything").symlink_to("/")
    (root / "home").symlink_to(others)
    with pytest.raises(UserError, match="states the repetition time"):
        check(root)
    check(root, link_targets=[str(others)])
    with pytest.raises(UserError, match="link_targets: /no/store is no folder"):
        check(root, link_targets=["/no/store"])
    (tmp_path / "alias").symlink_to("/")
    with pytest.raises(UserError, match="alias is no folder, or leads to the root of the disk"):
        check(root, link_targets=[str(tmp_path / "alias")])


def test_a_table_of_people_behind_a_link_needs_its_folder(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "data").mkdir()
    write(tmp_path / "store", ROWS)
    (tmp_path / "data/participants.tsv").symlink_to("../store/participants.tsv")
    with pytest.raises(UserError, match="my_data-2: participants.tsv leads out of the data set"):
        check(tmp_path / "data")
    check(tmp_path / "data", link_targets=[str(tmp_path / "store")])
    # A table that the user names elsewhere may be a link.
    (tmp_path / "tables").mkdir()
    (tmp_path / "data/participants.tsv").rename(tmp_path / "tables/people.tsv")
    check(tmp_path / "data", participants=str(tmp_path / "tables/people.tsv"))


def test_what_is_no_file_neither_blocks_nor_stops(tmp_path: Path) -> None:
    (tmp_path / "bold.json").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "task-rest_bold.json")
    (tmp_path / "dataset_description.json").write_text("[" * 100_000)
    (tmp_path / "sub-01").symlink_to("/")
    (tmp_path / "sub-02").mkdir()
    (tmp_path / "sub-02/sub-02_task-rest_bold.nii").touch()
    check(tmp_path, source="bids", repetition_time=2.0)
    (tmp_path / "sub-02/sub-02_task-rest_bold.nii").rename(tmp_path / "sub-02_timeseries.tsv")
    with pytest.raises(UserError, match="states the repetition time"):
        check(tmp_path)


def test_an_atlas_that_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path, ROWS)
    (tmp_path / "regions.tsv").touch()
    files = {"image": "/dev/zero", "table": str(tmp_path / "regions.tsv"), "space": "MNI152"}
    dataset = {"path": str(tmp_path), "source": "timeseries", "repetition_time": 2.0}
    content = {"datasets": {"x": dataset}, "atlas": "mine", "atlases": {"mine": files}}
    with pytest.raises(UserError, match="atlases.mine: /dev/zero cannot be used: zero is a device"):
        require_files(Config.model_validate(content), "mine.yaml")


@pytest.mark.parametrize(
    ("readouts", "blocks", "sentence"),
    [
        (["pooled", "full"], ["networks", "coupling"], "readouts has full, but"),
        (["distilled"], ["networks"], "readouts has distilled, but"),
        (["full", "spectrum"], ["networks", "spectrum"], None),
    ],
)
@pytest.mark.parametrize("name", ["model", "model/encoder.safetensors", "model/reference.pth"])
def test_a_given_model_has_what_its_readouts_need(
    tmp_path: Path, readouts: list[str], blocks: list[str], sentence: str | None, name: str
) -> None:
    write(tmp_path, ROWS)
    (tmp_path / "model").mkdir()
    for file in ("encoder.safetensors", "config.json", "reference.pth"):
        (tmp_path / "model" / file).touch()
    model = {"checkpoint": str(tmp_path / name), "readouts": readouts, "blocks": blocks}
    dataset = {"path": str(tmp_path), "source": "timeseries", "repetition_time": 2.0}
    config = Config.model_validate({"datasets": {"x": dataset}, "models": {"given": model}})
    if sentence:
        with pytest.raises(UserError, match=rf"models.given.{sentence}.*connectome\.safetensors"):
            require_files(config, "mine.yaml")
    else:
        require_files(config, "mine.yaml")
    (tmp_path / "model/connectome.safetensors").touch()
    if not name.endswith(".pth"):
        require_files(config, "mine.yaml")


def write_tables(folder: Path) -> list[Path]:
    """Ages and sexes as UK Biobank exports them, and sites in a table of its own."""
    ages = "".join(f"{eid},{40 + eid},{eid % 2}\n" for eid in range(40))
    (folder / "ages.csv").write_text(f"eid,p21003_i2,p31\n{ages}")
    sites = "".join(f"{eid}\t1102{eid % 2}\n" for eid in range(40))
    (folder / "sites.tab").write_text(f'"f.eid"\t"f.54.2.0"\n{sites}')
    return [folder / "ages.csv", folder / "sites.tab"]


BIOBANK: dict[str, Any] = {
    "participants": ["ages.csv", "*.tab"],
    "participant_column": ["eid", "f.eid"],
    "site_column": ["54-2.0", "f.54.2.0"],
    "sex_column": ["31-0.0", "p31"],
    "phenotypes": {"age": {"kind": "regression", "column": ["21003-2.0", "p21003_i2"]}},
}


def test_several_tables_and_names_of_columns_pass(tmp_path: Path) -> None:
    write_tables(tmp_path)
    check(tmp_path, **BIOBANK)
    dataset = Config.model_validate({"datasets": {"a": {"path": str(tmp_path)} | BIOBANK}})
    (notes,) = table_notes(dataset.datasets["a"], dataset)
    assert notes == (
        "confounds of the table of participants that are used: age (column 'p21003_i2'), sex "
        "(column 'p31'), site (column 'f.54.2.0')"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"site_column": "54-2.0"},
            "no column '54-2.0' in ages.csv and sites.tab .*site_column in mine.yaml",
        ),
        ({"participants": ["ages.csv", "no*.csv"]}, r"there is no .*no\*.csv"),
        ({"participant_column": "eid"}, "sites.tab has no column 'eid' .*`participant_column`"),
        ({"motion_column": "25741-2.0"}, "no column '25741-2.0'.*motion_column"),
        ({"splits": {"match": [["21003-2.0", "21003"]]}}, None),
        ({"visits": {"column": "wave", "keep": "first"}}, "no table has a column 'wave'"),
    ],
)
def test_what_several_tables_lack(
    tmp_path: Path, changes: dict[str, Any], sentence: str | None
) -> None:
    write_tables(tmp_path)
    if sentence is None:  # nobody is matched for a number
        check(tmp_path, **BIOBANK | changes)
        return
    with pytest.raises(UserError, match=sentence):
        check(tmp_path, **BIOBANK | changes)


def test_a_confound_of_several_names_may_be_absent_and_is_said(tmp_path: Path) -> None:
    """A preset lists the names of all exports; `site` is then looked for by its usual names."""
    write_tables(tmp_path)
    (tmp_path / "sites.tab").write_text("f.eid\tplace\n1\tx\n")
    check(tmp_path, **BIOBANK)
    config = Config.model_validate({"datasets": {"a": {"path": str(tmp_path)} | BIOBANK}})
    (notes,) = table_notes(config.datasets["a"], config)
    assert "not found: site (site_column)" in notes


def test_tables_that_differ_in_a_column_that_is_used(tmp_path: Path) -> None:
    write_tables(tmp_path)
    (tmp_path / "more.tab").write_text("eid\tp31\tnote\n3\t0\tx\n")
    with pytest.raises(UserError, match=r"ages.csv and .*more.tab both have the column 'p31'"):
        check(tmp_path, **BIOBANK)
    (tmp_path / "more.tab").write_text("eid\tp31\tnote\n3\t1\tx\n")
    check(tmp_path, **BIOBANK)


def test_two_of_the_names_are_said(tmp_path: Path) -> None:
    write_tables(tmp_path)
    (tmp_path / "more.tab").write_text("eid\t31-0.0\n3\t1\n")
    config = Config.model_validate({"datasets": {"a": {"path": str(tmp_path)} | BIOBANK}})
    notes = list(table_notes(config.datasets["a"], config))
    sentence = "sex_column: column '31-0.0' is used, and not 'p31', which the table has, too"
    assert sentence in notes


def test_keys_of_tables_are_checked(tmp_path: Path) -> None:
    for changes, sentence in (
        ({"participant_pattern": "(a"}, "is no regular expression"),
        ({"participant_pattern": "a"}, "has 0 groups, but needs exactly one"),
        ({"participants": ["a.csv", "b.h5"]}, "HDF5 file cannot be joined"),
        ({"participants": []}, "at least 1 item"),
    ):
        with pytest.raises(ValueError, match=sentence):
            check(tmp_path, **changes)


@pytest.mark.parametrize(
    ("protocol", "parts", "is_refused"),
    [
        ("exact", ["test"], False),
        ("both", ["test"], True),
        ("both", ["test", "validation"], True),  # both rows are compared over all splits
        ("paper", ["test", "validation"], False),
        ("paper", ["test"], True),
    ],
)
def test_fixed_splits_need_validation_for_the_papers_head(
    tmp_path: Path, protocol: str, parts: list[str], is_refused: bool
) -> None:
    rows = with_column("dx", "a", "b")
    lines = ["participant_id\t" + "\t".join(f"split{i}" for i in range(len(parts)))]
    for number, row in enumerate(rows):
        cells = ["train" if number % 3 else part for part in parts]
        lines.append("\t".join([str(row["participant_id"]), *cells]))
    splits = tmp_path / "splits.tsv"
    splits.write_text("\n".join(lines) + "\n")
    phenotypes = {"dx": {"kind": "classification", "splits_file": str(splits)}}
    content = {"probe": {"protocol": protocol}, "baselines": ["fc"], "phenotypes": phenotypes}
    if is_refused:
        with pytest.raises(UserError, match="'split0' of splits.tsv has no validation"):
            check(tmp_path, rows, **content)
    else:
        check(tmp_path, rows, **content)
