"""`semantoks init`: what is recognised in a folder, and what is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import joblib
import nibabel
import numpy as np
import pytest
import yaml

from semantoks.commands.init.command import init
from semantoks.config import Config
from semantoks.errors import UserError

PEOPLE = [f"{number:02d}" for number in range(1, 25)]


def touch(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_people(path: Path, ids: list[str] = PEOPLE, id_column: str = "participant_id") -> None:
    rng = np.random.default_rng(0)
    rows = [f"{id_column}\tage\tsex\tsite_id\tfamily_id\tdx\tscore\tnote\tsub_number"]
    for number, name in enumerate(ids):
        dx = ["control", "patient"][number % 2]
        score = -999 if number == 3 else round(float(rng.normal(10, 2)), 2)
        cells = [name, 20 + number, "MF"[number % 2], "AB"[number % 2], number // 2, dx, score]
        rows.append("\t".join(map(str, [*cells, f"text {number}", 1000 + number])))
    touch(path, "\n".join(rows) + "\n")


def written(folder: Path, out: Path, **options: object) -> dict[str, object]:
    """Run the command; return the configuration, which must be a valid one."""
    lines = list(init(folder, out, **options))  # type: ignore[arg-type]
    assert f"Written: {out}" in lines[-1]
    content: dict[str, object] = yaml.safe_load(out.read_text())
    Config.model_validate(content)
    return content


def data_set(content: dict[str, object]) -> dict[str, object]:
    ((_, dataset),) = content["datasets"].items()  # type: ignore[attr-defined]
    return dict(dataset)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for name in PEOPLE:
        touch(folder / f"sub-{name}/func/sub-{name}_task-rest_bold.nii.gz")
    write_people(folder / "participants.tsv", [f"sub-{name}" for name in PEOPLE])
    return folder


def test_raw_data_with_their_table(raw: Path, tmp_path: Path) -> None:
    content = written(raw, tmp_path / "out.yaml")
    assert list(content["datasets"]) == ["study"]  # type: ignore[call-overload]
    dataset = data_set(content)
    assert dataset == {
        "path": str(raw),
        "source": "bids",
        "age_column": "age",
        "sex_column": "sex",
        "site_column": "site_id",
        "group_column": "family_id",
        "missing_values": ["-999"],
        "shards": 5,  # an interrupted one is repeated
        "phenotypes": {
            "age": "regression",
            "sex": "classification",
            "dx": "classification",
            "score": "regression",
        },
    }
    assert content["preprocessing"] == {"engine": "minimal", "voxel_size": 2}
    threads = content["models"]["semantoks"]["cpu_threads"]  # type: ignore[index]
    assert threads in (1, 2, 4, 8) and threads <= joblib.cpu_count()
    assert content["report"] == {"participants": False}
    text = (tmp_path / "out.yaml").read_text()
    assert "# (?) -999 in score" in text
    assert "# control: 12, patient: 12" in text
    assert "# not note: it is text with 24 different values" in text
    assert "# not sub_number: all its values are different whole numbers" in text


def test_derivatives_have_their_table_above(raw: Path, tmp_path: Path) -> None:
    folder = raw / "derivatives/fmriprep"
    image = "func/sub-01_task-{}_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz"
    for task in ("rest", "faces"):
        touch(folder / "sub-01" / image.format(task))
    description = {"GeneratedBy": [{"Name": "fMRIPrep", "Version": "23.1.3"}]}
    touch(folder / "dataset_description.json", json.dumps(description))
    content = written(folder, tmp_path / "out.yaml")
    dataset = data_set(content)
    assert list(content["datasets"]) == ["study"]  # type: ignore[call-overload]
    assert dataset["source"] == "fmriprep"
    assert dataset["task"] == "faces"
    assert dataset["participants"] == str(raw / "participants.tsv")
    assert "preprocessing" not in content
    named = written(folder, tmp_path / "named.yaml", atlas="schaefer400x7")
    assert (content["atlas"], named["atlas"]) == ("seitzman300", "schaefer400x7")
    text = (tmp_path / "out.yaml").read_text()
    assert "images preprocessed by fMRIPrep 23.1.3" in text
    assert "(?) there is also: rest" in text


def test_time_series_of_xcp_d(tmp_path: Path) -> None:
    folder = tmp_path / "xcp_d"
    name = "sub-01_task-rest_space-fsLR_seg-4S156Parcels_stat-mean_timeseries.tsv"
    touch(folder / "sub-01/func" / name, "LH_Vis_1\tLH_Vis_2\n1\t2\n")
    said = " ".join(init(folder, tmp_path / "said.yaml"))
    assert "Atlas: schaefer100x17, a guess from the cortex of 4S156Parcels;" in said
    content = written(folder, tmp_path / "out.yaml", repetition_time=0.8)
    assert content["atlas"] == "schaefer100x17"
    assert data_set(content)["source"] == "timeseries"
    assert data_set(content)["repetition_time"] == 0.8


def test_tables_beside_each_other(tmp_path: Path) -> None:
    """Ids and template come from the names; a spreadsheet has taken zeros from the ids."""
    folder = tmp_path / "series"
    header = "\t".join(map(str, range(300)))
    for name in PEOPLE:
        touch(folder / f"00{name}_rois.csv".replace(".csv", ".1D"), f"{header}\n")
    write_people(folder / "people.tsv", [name.lstrip("0") for name in PEOPLE], "subject")
    content = written(folder, tmp_path / "out.yaml")
    dataset = data_set(content)
    assert content["atlas"] == "seitzman300"
    assert dataset["template"] == "{participant}_rois.1D"
    assert dataset["participants"] == "people.tsv"
    assert dataset["participant_column"] == "subject"
    assert dataset["participant_digits"] == 4
    assert "repetition_time: 2.0  (?) TR in seconds" in (tmp_path / "out.yaml").read_text()


@pytest.mark.parametrize(
    ("scan", "table"),
    [
        ("sub-{}_task-rest_timeseries.tsv", "participants.tsv"),
        ("sub-{}.csv", "participants.csv"),
        ("{}_rois.tsv", "people.tsv"),
    ],
)
def test_the_table_of_people_beside_the_scans_is_no_scan(
    tmp_path: Path, scan: str, table: str
) -> None:
    folder = tmp_path / "mine"
    for name in PEOPLE:
        touch(folder / scan.format(name), "1\t2\n")
    write_people(folder / "table.tsv")
    text = (folder / "table.tsv").read_text()
    (folder / "table.tsv").unlink()
    touch(folder / table, text.replace("\t", ",") if table.endswith("csv") else text)
    said = list(init(folder, tmp_path / "out.yaml", repetition_time=2.0, atlas="cc200"))
    assert said[0].endswith("of 24 people.") and said[1].startswith(str(folder / table))


def test_the_data_set_of_a_study_is_found_below_it(raw: Path, tmp_path: Path) -> None:
    study = tmp_path / "below"
    for name in PEOPLE:
        image = f"sub-{name}_task-rest_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz"
        touch(study / f"derivatives/fmriprep/sub-{name}/func" / image)
        touch(study / f"derivatives/freesurfer/sub-{name}/stats/aseg.stats")
    write_people(study / "participants.tsv")
    dataset = data_set(written(study, tmp_path / "out.yaml"))
    assert dataset["path"] == str(study / "derivatives/fmriprep")
    assert dataset["participants"] == str(study / "participants.tsv")
    raw.rename(study / "rawdata")
    with pytest.raises(
        UserError, match=r"several data sets: .*fmriprep \(images.*rawdata \(raw BIDS"
    ):
        list(init(study, tmp_path / "other.yaml"))


def test_people_without_data_are_no_tables(tmp_path: Path) -> None:
    for name in ("a", "b"):
        touch(tmp_path / f"study/sub-01/beh/{name}_beh.tsv")
        touch(tmp_path / f"study/sub-01/{name}_events.tsv")
    with pytest.raises(UserError, match="no BOLD images and no time series"):
        list(init(tmp_path / "study", tmp_path / "out.yaml"))


def test_a_class_of_few_people_is_not_predicted(raw: Path, tmp_path: Path) -> None:
    for name in PEOPLE[4:]:
        (raw / f"sub-{name}/func/sub-{name}_task-rest_bold.nii.gz").unlink()
        (raw / f"sub-{name}/func").rmdir()
        (raw / f"sub-{name}").rmdir()
    dataset = data_set(written(raw, tmp_path / "out.yaml"))
    assert "phenotypes" not in dataset
    assert "# not dx: only 2 people are" in (tmp_path / "out.yaml").read_text()


def test_a_measure_of_few_people_is_not_predicted(raw: Path, tmp_path: Path) -> None:
    """Splits would refuse it, and the table may have more people than the scans."""
    for name in PEOPLE[9:]:
        shutil.rmtree(raw / f"sub-{name}")
    dataset = data_set(written(raw, tmp_path / "out.yaml"))
    assert "phenotypes" not in dataset
    text = (tmp_path / "out.yaml").read_text()
    assert "# not age: too few people (9 numbers from 20 to 28)" in text


def test_a_published_task_names_the_classes(tmp_path: Path) -> None:
    rows = ["FILE_ID,SITE_ID,DX_GROUP,SEX,AGE_AT_SCAN,EYE_STATUS_AT_SCAN"]
    for number in range(24):
        touch(tmp_path / f"abide/NYU_00{number:02d}_rois_cc200.1D", "#1\t#2\n1\t2\n")
        codes = 1 + number % 2, 1 + number // 12, 20 + number, 1 + number // 6 % 2
        rows.append(f"NYU_00{number:02d},NYU,{','.join(map(str, codes))}")
    touch(tmp_path / "abide/Phenotypic_V1_0b_preprocessed1.csv", "\n".join(rows) + "\n")
    dataset = data_set(written(tmp_path / "abide", tmp_path / "out.yaml"))
    assert dataset["preset"] == "abide"
    assert dataset["phenotypes"] == {
        "DX_GROUP": {"kind": "classification", "values": {"1": "autism", "2": "control"}},
        "SEX": {"kind": "classification", "values": {"1": "male", "2": "female"}},
        "AGE_AT_SCAN": "regression",
        "EYE_STATUS_AT_SCAN": "classification",
    }


def test_codes_of_classes_are_no_measure(raw: Path, tmp_path: Path) -> None:
    """DSM_IV_TR of ABIDE has the codes 0 to 4."""
    table = raw / "participants.tsv"
    header, *rows = table.read_text().splitlines()
    rows = [f"{row}\t{number % 5}" for number, row in enumerate(rows)]
    table.write_text("\n".join([f"{header}\tdsm", *rows]) + "\n")
    assert "dsm" not in data_set(written(raw, tmp_path / "out.yaml"))["phenotypes"]
    text = (tmp_path / "out.yaml").read_text()
    assert "# not dsm: codes of classes, or a scale? 24 numbers from 0 to 4" in text


def test_what_is_not_proposed_is_said(raw: Path, tmp_path: Path) -> None:
    said = list(init(raw, tmp_path / "out.yaml"))
    assert said[1] == f"{raw / 'participants.tsv'}: 2 phenotypes in classes and 2 in numbers."
    assert said[2] == (
        "Not proposed: note (it is text with 24 different values); sub_number (all its values are "
        "different whole numbers, as of ids)."
    )


def test_a_name_that_is_not_the_folders_is_said(raw: Path, tmp_path: Path) -> None:
    assert "call" not in next(iter(init(raw, tmp_path / "first.yaml")))
    renamed = raw.rename(raw.parent / "sleep_study")
    said = next(iter(init(renamed, tmp_path / "second.yaml")))
    assert said.endswith("of 24 people. Results call it 'sleepstudy'.")


def test_phenotypes_of_too_few_for_a_comparison_are_named(raw: Path, tmp_path: Path) -> None:
    said = list(init(raw, tmp_path / "first.yaml"))[-2]
    assert said.startswith("24 people are few:") and said.endswith("compared with connectivity.")
    table = raw / "participants.tsv"
    header, *rows = table.read_text().splitlines()
    # 7 of 24 with 14 in training: 4 of them train.
    rows = [f"{row}\t{'yes' if number < 7 else 'no'}" for number, row in enumerate(rows)]
    table.write_text("\n".join([f"{header}\tsmoker", *rows]) + "\n")
    said = list(init(raw, tmp_path / "second.yaml"))[-2]
    assert said.endswith("compared with connectivity. Too few already: smoker.")


@pytest.mark.parametrize(("volumes", "motion"), [(100, {"motion": "basic"}), (200, None)])
def test_short_scans_have_few_motion_regressors(
    raw: Path, tmp_path: Path, volumes: int, motion: dict[str, str] | None
) -> None:
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2, volumes), np.int16), np.eye(4))
    image.header.set_zooms((3, 3, 3, 2))
    nibabel.save(image, raw / "sub-01/func/sub-01_task-rest_bold.nii.gz")
    assert written(raw, tmp_path / "out.yaml").get("parcellation") == motion


def test_without_a_table_time_series_can_be_made(raw: Path, tmp_path: Path) -> None:
    (raw / "participants.tsv").unlink()
    dataset = data_set(written(raw, tmp_path / "out.yaml"))
    assert set(dataset) == {"path", "source", "shards"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "There is no"),
        ("notes", r"has no BOLD images and no time series .* \(it has notes.docx\)"),
        ("notes/notes.docx", "is a file"),
    ],
)
def test_what_is_not_recognised_is_said(tmp_path: Path, name: str, message: str) -> None:
    touch(tmp_path / "notes/notes.docx")
    with pytest.raises(UserError, match=message):
        list(init(tmp_path / name, tmp_path / "out.yaml"))
    assert not (tmp_path / "out.yaml").exists()


def test_notes_are_no_time_series(tmp_path: Path) -> None:
    for number in range(3):
        touch(tmp_path / f"notes/day{number}_notes.txt", "Scanner was warm, 2 people came late.\n")
    with pytest.raises(UserError, match="has no BOLD images and no time series"):
        list(init(tmp_path / "notes", tmp_path / "out.yaml"))


def test_nothing_is_overwritten(raw: Path, tmp_path: Path) -> None:
    touch(tmp_path / "out.yaml", "mine")
    with pytest.raises(UserError, match="is there already"):
        list(init(raw, tmp_path / "out.yaml"))
    assert (tmp_path / "out.yaml").read_text() == "mine"


def test_no_folder_is_made(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        list(init(raw, tmp_path / "there/out.yaml"))
    assert not (tmp_path / "there").exists()


def test_a_table_that_is_named_must_have_these_people(raw: Path, tmp_path: Path) -> None:
    write_people(tmp_path / "others.tsv", ["x1", "x2"])
    with pytest.raises(UserError, match="no column with the ids of the scans, such as 01, 02"):
        list(init(raw, tmp_path / "out.yaml", participants=tmp_path / "others.tsv"))
