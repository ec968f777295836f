"""Made-up trees in the shapes in which holders of data ship them.

A function per holder writes images or time series below a folder, and tables of participants in
its dialect, and returns the folder that `path` of a data set names. Images are tiny and values are
made up; names of files and columns are the holder's, with where they were looked up.
"""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.cifti2 import BrainModelAxis, LabelAxis, SeriesAxis

AFFINE = np.diag([3.0, 3, 3, 1])
SHAPE = (8, 8, 8)
VOLUMES = 120
# Labels of ADHD200_parcellate_200.nii.gz: 190 of 1 to 200.
ADHD200_LABELS = sorted(set(range(1, 201)) - {2, 5, 11, 25, 34, 68, 82, 95, 126, 191})
LEFT, RIGHT = "CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"
VERTICES = 100  # of a hemisphere; HCP's have 32492


def ukb(root: Path, people: int = 40, dialect: str = "csv") -> Path:
    """Write UK Biobank: zip files per participant, here without images, and a table in a dialect.

    ``csv`` has columns such as 31-0.0, ``tab`` (for R) f.31.0.0, and ``rap``, of the Research
    Analysis Platform, p31; instance 2 is the first imaging visit. See
    biobank.ndph.ox.ac.uk/showcase. -3 is "prefer not to answer".
    """
    rng, numbers = np.random.default_rng(8), np.arange(people)
    ids = 1000017 + 8 * numbers
    root.mkdir(parents=True)
    for person in ids:
        with zipfile.ZipFile(root / f"{person}_20227_2_0.zip", "w"):
            pass
        with zipfile.ZipFile(root / f"{person}_20249_2_0.zip", "w") as file:
            for number in (1, 2):  # shapes and faces, in turns
                lines = [f"{onset} 21 1" for onset in range(27 * (number - 1), 200, 54)]
                timing = f"fMRI/tfMRI.feat/custom_timing_files/ev{number}.txt"
                file.writestr(timing, "\n".join(lines))
    fields = {
        (31, 0): [("Female", "Male")[n % 2] if dialect == "rap" else n % 2 for n in numbers],
        (21003, 2): rng.integers(45, 82, people),
        (54, 2): 11025 + numbers % 3,
        (25741, 2): rng.uniform(0.05, 0.3, people).round(4),
        (20116, 2): [-3, *rng.integers(0, 3, people - 1)],
    }
    names = {
        "csv": ("eid", lambda field, visit: f"{field}-{visit}.0"),
        "tab": ("f.eid", lambda field, visit: f"f.{field}.{visit}.0"),
        "rap": ("eid", lambda field, visit: f"p{field}" + (f"_i{visit}" if visit else "")),
    }
    id_column, name_of = names[dialect]
    table = pd.DataFrame({id_column: ids} | {name_of(*key): fields[key] for key in fields})
    suffix, separator = ("tab", "\t") if dialect == "tab" else ("csv", ",")
    quoting = csv.QUOTE_NONNUMERIC if dialect == "tab" else csv.QUOTE_MINIMAL
    table.to_csv(root / f"ukb12345.{suffix}", sep=separator, index=False, quoting=quoting)
    return root


def hbn(root: Path, people: int = 8) -> Path:
    """Write the Healthy Brain Network: raw BIDS per site, sidecars beside the images.

    Below ``s3://fcp-indi/data/Projects/HBN``, see
    fcon_1000.projects.nitrc.org/indi/cmi_healthy_brain_network. ``pheno/HBN_R*_Pheno.csv`` are the
    public tables of two releases; ``pheno/loris.csv`` is a LORIS export of instruments, whose ids
    are ``NDAR…,assessment``; ``pheno/CELF.csv`` is one of COINS, with questions in the row under
    the header and two visits of the first person.
    """
    rng, sites = np.random.default_rng(1), ("RU", "CBIC", "CUNY", "SI")
    ids = [f"NDARAA{number:03d}XY{number % 10}" for number in range(people)]
    for number, person in enumerate(ids):
        folder = root / "MRI" / f"Site-{sites[number % 4]}" / f"sub-{person}"
        runs = (1, 2) if number % 4 == 0 else (1,)
        for run in runs:
            stem = folder / "func" / f"sub-{person}_task-rest_run-{run}_bold"
            save(stem.with_name(f"{stem.name}.nii.gz"), bold(rng, 20), 0.8)
            write_json(stem.with_name(f"{stem.name}.json"), RepetitionTime=0.8, TaskName="rest")
        save(folder / "anat" / f"sub-{person}_acq-HCP_T1w.nii.gz", bold(rng, 1)[..., 0])
    for site in sites:
        folder = root / "MRI" / f"Site-{site}"
        if folder.is_dir():
            write_json(folder / "dataset_description.json", Name="HBN", BIDSVersion="1.1.1")
    ages, sexes = rng.uniform(5, 21, people).round(3), rng.integers(0, 2, people)
    table = pd.DataFrame({"EID": ids, "Sex": sexes, "Age": ages, "Full_Pheno": "Yes"})
    (root / "pheno").mkdir()
    for release, part in ((1, table.iloc[::2]), (2, table.iloc[1::2])):
        part.assign(Release_Number=release).to_csv(
            root / f"pheno/HBN_R{release}_Pheno.csv", index=False
        )
    loris = pd.DataFrame({"Identifiers": [f"{person},assessment" for person in ids]})
    loris["Basic_Demos,EID"], loris["Basic_Demos,Age"] = ids, ages
    loris["Basic_Demos,Sex"] = sexes
    loris["CELF,CELF_Total"] = rng.integers(40, 130, people)
    loris["WISC,WISC_FSIQ"] = rng.integers(60, 140, people)
    loris.to_csv(root / "pheno/loris.csv", index=False)
    celf = pd.DataFrame({"EID": ids, "Visit": "Baseline", "CELF_Total": loris["CELF,CELF_Total"]})
    items = pd.DataFrame({"EID": ["Unique ID"], "Visit": ["Visit"], "CELF_Total": ["Total score"]})
    again = celf.iloc[:1].assign(Visit="Follow-up")
    pd.concat([items, celf, again]).to_csv(root / "pheno/CELF.csv", index=False)
    return root


def srpbs(root: Path, people: int = 8) -> Path:
    """Write the SRPBS Multi-disorder MRI Dataset: raw volumes in a layout of its own.

    One NIfTI file per volume, without extension; TR by `protocol`. See
    bicr-resource.atr.jp/srpbsopen and doi:10.1038/s41597-021-01004-8. Of `diag`, 0 is no
    disorder, 2 depression and 4 schizophrenia.
    """
    rng, folder = np.random.default_rng(2), root / "SRPBS_OPEN"
    ids = [f"sub-{number:04d}" for number in range(1, people + 1)]
    for person in ids:
        run = bold(rng, 20)
        for number in range(run.shape[3]):
            path = folder / "data" / person / "rsfmri" / f"vol_{number + 1:04d}"
            save(path.with_name(f"{path.name}.nii"), run[..., number])
            path.with_name(f"{path.name}.nii").rename(path)
        save(folder / "data" / person / "t1" / "defaced_mprage.nii", run[..., 0])
    numbers = np.arange(people)
    write_tsv(
        folder / "participants.tsv",
        participant_id=ids,
        protocol=numbers % 2 + 1,
        site=[("SWA", "HUH")[n % 2] for n in numbers],
        diag=[(0, 2, 0, 4)[n % 4] for n in numbers],
        sex=[(1, 2)[n // 2 % 2] for n in numbers],
        age=rng.integers(20, 60, people),
        hand=1,
    )
    protocols = {"protocol": [1, 2], "TR(s)": [2.5, 2.7]}
    write_tsv(folder / "MRI_protocols_rsMRI.tsv", **protocols)
    return folder


def abide(root: Path, people: int = 40) -> Path:
    """Write ABIDE I of the Preprocessed Connectomes Project: images, ``rois_cc200`` and its table.

    See preprocessed-connectomes-project.org/abide. -9999 is a missing value, and people without
    preprocessed images have the file ``no_filename``.
    """
    rng, numbers = np.random.default_rng(3), np.arange(people)
    sites = [("NYU", "OLIN")[number % 2] for number in numbers]
    ids = [
        f"{site.title() if site == 'OLIN' else site}_{50001 + n:07d}"
        for n, site in enumerate(sites)
    ]
    folder = root / "rois_cc200"
    folder.mkdir(parents=True)
    header = "\t".join(f"#{label}" for label in range(1, 201))
    for number, person in enumerate(ids):
        save(root / "func_preproc" / f"{person}_func_preproc.nii.gz", bold(rng, 4), 2.0)
        np.savetxt(
            folder / f"{person}_rois_cc200.1D",
            series(rng, 200, number % 4 < 2),
            delimiter="\t",
            header=header,
            comments="",
            fmt="%.6f",
        )
    table = pd.DataFrame({"SUB_ID": 50001 + numbers, "SITE_ID": sites, "FILE_ID": ids})
    table["DX_GROUP"] = [1 if number % 4 < 2 else 2 for number in numbers]
    table["AGE_AT_SCAN"] = rng.uniform(7, 40, people).round(2)
    table["SEX"], table["FIQ"] = numbers // 4 % 2 + 1, rng.integers(80, 130, people)
    table.loc[0, "FIQ"], table["func_mean_fd"] = -9999, rng.uniform(0.05, 0.2, people).round(4)
    table.loc[people] = [*table.iloc[0]]
    table.loc[people, ["SUB_ID", "FILE_ID"]] = [59999, "no_filename"]
    table.to_csv(root / "Phenotypic_V1_0b_preprocessed1.csv")
    return root


def abide2(root: Path, people: int = 8) -> Path:
    """Write ABIDE II: raw BIDS per site without sidecars, the TR in the headers of the images.

    Below ``s3://fcp-indi/data/Projects/ABIDE2``; one table of all sites, in ISO 8859, whose
    column of ages ends in a blank. See fcon_1000.projects.nitrc.org/indi/abide/abide_II.html.
    """
    rng, sites = np.random.default_rng(4), ("BNI_1", "KKI_1")
    for number in range(people):
        site, person = sites[number % 2], f"sub-{29001 + number}"
        folder = root / "RawData" / f"ABIDEII-{site}" / person / "ses-1"
        tr = (3.0, 2.5)[number % 2]
        save(folder / "func" / f"{person}_ses-1_task-rest_run-1_bold.nii.gz", bold(rng, 20), tr)
        save(folder / "anat" / f"{person}_ses-1_run-1_T1w.nii.gz", bold(rng, 1)[..., 0])
    numbers = np.arange(people)
    table = pd.DataFrame({"SITE_ID": [f"ABIDEII-{sites[n % 2]}" for n in numbers]})
    table["NDAR_GUID"], table["SUB_ID"] = "", 29001 + numbers
    table["DX_GROUP"], table["SEX"] = numbers // 2 % 2 + 1, numbers // 4 % 2 + 1
    table["AGE_AT_SCAN "] = rng.uniform(7, 40, people).round(2)
    table["CURRENT_MED_NAME"] = "Méthylphénidate"
    table.to_csv(root / "ABIDEII_Composite_Phenotypic.csv", index=False, encoding="latin-1")
    return root


def adhd200(root: Path, people: int = 40) -> Path:
    """Write ADHD-200 of the Neuro Bureau (Athena): ``.1D`` tables of AFNI's 3dROIstats.

    Ids have seven digits in the names of files, and not in the table of all sites; `DX` is
    ``pending`` for some, -999 a missing value. Time courses are unfiltered (``snwmrda``) and
    band-passed (``sfnwmrda``). ``templates`` has the atlas, with labels that the built-in
    `cc200` does not share, and here a table of it. See
    nitrc.org/plugins/mwiki/index.php/neurobureau:AthenaPipeline.
    """
    rng, sites = np.random.default_rng(5), {"KKI": 3, "NYU": 5}
    folder = root / "ADHD200_CC200_TCs_filtfix"
    numbers = range(people)
    ids = [(1018959 if n % 2 else 10001) + n for n in numbers]
    names = [("NYU", "KKI")[n % 2] for n in numbers]
    header = "\t".join(["File", "Sub-brick", *(f"Mean_{label}  " for label in ADHD200_LABELS)])
    for number, (person, site) in enumerate(zip(ids, names, strict=True)):
        values = series(rng, len(ADHD200_LABELS), number % 4 < 2)
        image = f"{site}/{person:07d}/snwmrda{person:07d}_session_1_rest_1.nii.gz"
        save(root / "ADHD200_images" / image, bold(rng, 4), 2.0)
        for prefix in ("snwmrda", "sfnwmrda"):
            stem = f"{prefix}{person:07d}_session_1_rest_1"
            rows = [
                "\t".join([f"/data/{stem}.nii.gz[{n}]", f"{n}[?]", *(f"{x:.6f}" for x in row)])
                for n, row in enumerate(values)
            ]
            path = folder / site / f"{person:07d}" / f"{stem}_cc200_TCs.1D"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join([header, *rows]) + "\n")
    table = {
        "ScanDir ID": ids,
        "Site": [sites[name] for name in names],
        "Gender": [n // 4 % 2 for n in numbers],
        "Age": rng.uniform(7, 18, people).round(2),
        "DX": ["pending" if n == 0 else 0 if n % 4 < 2 else 1 + n % 2 * 2 for n in numbers],
        "Full4 IQ": [-999 if n == 1 else 80 + n for n in numbers],
        "QC_Athena": 1,
    }
    write_tsv(folder / "adhd200_preprocessed_phenotypics.tsv", **table)
    (folder / "templates").mkdir()
    labels = np.zeros((10, 10, 10), np.int16)
    labels.ravel()[: len(ADHD200_LABELS)] = ADHD200_LABELS
    save(folder / "templates/ADHD200_parcellate_200.nii.gz", labels)
    write_tsv(
        root / "adhd200_regions.tsv",
        index=ADHD200_LABELS,
        name=[f"adhd200_{label}" for label in ADHD200_LABELS],
        network=[f"N{label % 7}" for label in ADHD200_LABELS],
    )
    return folder


def lemon(root: Path, people: int = 8) -> Path:
    """Write the Leipzig LEMON data: raw BIDS below ``MRI_Raw``, and a table per test.

    Below ``MPI-Leipzig_Mind-Brain-Body-LEMON``, see doi:10.1038/sdata.2018.308. Ages are ranges.
    """
    rng, raw = np.random.default_rng(6), root / "MRI_MPILMBB_LEMON" / "MRI_Raw"
    ids = [f"sub-{32301 + number:06d}" for number in range(people)]
    for person in ids:
        folder = raw / person / "ses-01"
        stem = f"{person}_ses-01_task-rest_acq-AP_run-01_bold"
        save(folder / "func" / f"{stem}.nii.gz", bold(rng, 20), 1.4)
        write_json(folder / "func" / f"{stem}.json", RepetitionTime=1.4, TaskName="rest")
        for image in ("acq-mp2rage_T1w", "inv-1_mp2rage", "acq-mp2rage_T1map"):
            save(folder / "anat" / f"{person}_ses-01_{image}.nii.gz", bold(rng, 1)[..., 0])
    tests = root / "Behavioural_Data_MPILMBB_LEMON"
    numbers, battery = np.arange(people), tests / "Cognitive_Test_Battery_LEMON"
    tables = {
        tests / "META_File_IDs_Age_Gender_Education_Drug_Smoke_SKID_LEMON.csv": {
            "Gender_ 1=female_2=male": numbers % 2 + 1,
            "Age": [("20-25", "65-70")[n // 2 % 2] for n in numbers],
        },
        battery / "CVLT/CVLT.csv": {"CVLT_1": rng.integers(20, 80, people)},
        battery / "TMT/TMT.csv": {"TMT_1": rng.uniform(10, 60, people).round(1)},
        tests / "Emotion_and_Personality_Test_Battery_LEMON/MDBF_Day1.csv": {
            "MDBF_Day1_GS_Scale": rng.integers(5, 20, people)
        },
    }
    for path, columns in tables.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"ID": ids, **columns}).to_csv(path, index=False)
    return root


def hcp_ya(root: Path, people: int = 40, runs: tuple[str, ...] = ("REST1_LR", "REST1_RL")) -> Path:
    """Write HCP Young Adult: CIFTI dense time series, an atlas for them, and the open table.

    See the reference manual of the 1200 subjects release, humanconnectome.org. The TR is in the
    header of the images, ages are ranges.
    """
    rng = np.random.default_rng(7)
    ids = [100206 + 101 * number for number in range(people)]
    axis = BrainModelAxis.from_surface(np.arange(VERTICES), VERTICES, LEFT)
    axis += BrainModelAxis.from_surface(np.arange(VERTICES), VERTICES, RIGHT)
    for number, person in enumerate(ids):
        for run in runs:
            name = f"rfMRI_{run}"
            path = root / str(person) / "MNINonLinear/Results" / name
            path.mkdir(parents=True)
            signals = series(rng, 10, number % 4 < 2) @ np.kron(np.eye(10), np.ones((1, 20)))
            values = 1000 + 10 * (signals + rng.standard_normal(signals.shape) / 4)
            image = nib.Cifti2Image(values.astype(np.float32), (SeriesAxis(0, 0.72, VOLUMES), axis))
            nib.save(image, path / f"{name}_Atlas_MSMAll_hp2000_clean.dtseries.nii")
            save(path / f"{name}_hp2000_clean.nii.gz", bold(rng, 4), 0.72)
    numbers = range(people)
    table = {"Subject": ids, "Release": "S500", "Gender": [("M", "F")[n // 2 % 2] for n in numbers]}
    table["Age"] = [("22-25", "26-30", "31-35", "36+")[n % 4] for n in numbers]
    table["PMAT24_A_CR"] = rng.integers(5, 24, people)
    pd.DataFrame(table).to_csv(root / "unrestricted_hcp.csv", index=False)
    labels = np.repeat(np.arange(1, 11), 20).astype(np.float32)[None]
    names = LabelAxis(["made up"], {0: ("???", (0, 0, 0, 0))})
    nib.save(nib.Cifti2Image(labels, (names, axis)), root / "atlas.dlabel.nii")
    write_tsv(
        root / "atlas.tsv",
        index=range(1, 11),
        name=[f"region{number}" for number in range(1, 11)],
        network=[("A", "B")[number % 2] for number in range(10)],
    )
    return root


def series(rng: np.random.Generator, regions: int, coherent: bool) -> np.ndarray:
    """Volumes × regions of noise, of which the first five share a signal if `coherent`."""
    values = rng.standard_normal((VOLUMES, regions))
    share = 0.8 if coherent else 0.2
    common = rng.standard_normal((VOLUMES, 1))
    values[:, :5] = np.sqrt(share) * common + np.sqrt(1 - share) * values[:, :5]
    return values


def bold(rng: np.random.Generator, volumes: int) -> np.ndarray:
    return rng.integers(500, 1000, (*SHAPE, volumes)).astype(np.int16)


def save(path: Path, data: np.ndarray, tr: float | None = None) -> None:
    """Save a NIfTI image in scanner space; the TR has its unit."""
    image = nib.Nifti1Image(data, AFFINE)
    image.header.set_sform(AFFINE, 1)
    if tr is not None:
        image.header.set_zooms((3, 3, 3, tr))
        image.header.set_xyzt_units("mm", "sec")
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)


def write_json(path: Path, **content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_tsv(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_csv(path, sep="\t", index=False)
