import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.maskers import NiftiLabelsMasker

from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import iter_scans, read_manifest, read_scan_table
from semantoks.config import Origin, Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.confounds import load_confounds
from semantoks.data.parcellate.images import find_bold, read_fmriprep
from semantoks.data.parcellate.quality import require_quality
from semantoks.data.parcellate.stage import parcellate_shard, scan_timeseries
from semantoks.errors import ScanError

AFFINE = np.diag([4.0, 4, 4, 1])
SHAPE = (10, 10, 10)
SCAN = "sub-01_task-rest"


@pytest.fixture
def atlas() -> Atlas:
    labels = np.zeros((20, 20, 20), np.int16)
    labels[2:8, 2:8, 2:8], labels[12:18, 2:8, 2:8], labels[2:8, 12:18, 2:8] = 1, 2, 3
    regions = pd.DataFrame({"index": [2, 1, 3], "name": ["b", "a", "c"], "network": list("BAC")})
    image = nib.Nifti1Image(labels, np.diag([2.0, 2, 2, 1]))
    return Atlas("toy", image, regions, "MNI152", "0" * 64)


def write_run(folder: Path, scan: str, volumes: int = 100) -> np.ndarray:
    """Write one run in fMRIPrep's layout; region 3 lies outside the brain mask."""
    rng = np.random.default_rng(0)
    data = rng.normal(1000, 10, (*SHAPE, volumes)).astype(np.float32)
    mask = np.ones(SHAPE, np.uint8)
    mask[1:4, 6:9] = 0
    func = folder / scan.split("_")[0] / "func"
    func.mkdir(parents=True, exist_ok=True)
    stem = f"{func}/{scan}_space-MNI152NLin2009aSym"
    nib.save(nib.Nifti1Image(data, AFFINE), f"{stem}_desc-preproc_bold.nii.gz")
    nib.save(nib.Nifti1Image(mask, AFFINE), f"{stem}_desc-brain_mask.nii.gz")
    Path(f"{stem}_desc-preproc_bold.json").write_text(json.dumps({"RepetitionTime": 2.5}))
    names = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"] + ["csf"]
    names += ["white_matter", "global_signal"]
    suffixes = ("", "_derivative1", "_power2", "_derivative1_power2")
    columns = [f"{name}{suffix}" for name in names for suffix in suffixes]
    confounds = pd.DataFrame(rng.standard_normal((volumes, len(columns))), columns=columns)
    confounds["cosine00"] = np.cos(np.linspace(0, np.pi, volumes))
    confounds.to_csv(f"{func}/{scan}_desc-confounds_timeseries.tsv", sep="\t", index=False)
    Path(f"{func}/{scan}_desc-confounds_timeseries.json").write_text("{}")
    return data


def found(folder: Path, atlas: Atlas) -> Path:
    return find_bold(folder / "sub-01", SCAN, atlas, "simple")


def write_status(folder: Path, rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows).assign(session="", task="rest", run="", problem="", correlation=0.9)
    table.to_csv(folder / "scans.tsv", sep="\t", index=False)
    return table


def test_means_follow_the_table_and_the_mask(tmp_path: Path, atlas: Atlas) -> None:
    data = write_run(tmp_path, SCAN)
    run = read_fmriprep(found(tmp_path, atlas), atlas, "simple", Parcellation())
    assert (run.tr, run.space) == (2.5, "MNI152NLin2009aSym")
    means = run.means_TC
    assert means.shape == (100, 3)
    assert np.allclose(means[:, 0], data[6:9, 1:4, 1:4].mean(axis=(0, 1, 2)), atol=1e-2)
    assert np.allclose(means[:, 1], data[1:4, 1:4, 1:4].mean(axis=(0, 1, 2)), atol=1e-2)
    assert np.isnan(means[:, 2]).all()


@pytest.mark.parametrize("strategy", ["simple", "36p", "none"])
def test_the_whole_way_is_nilearns(tmp_path: Path, atlas: Atlas, strategy: str) -> None:
    """Masker, confounds and band-pass in one call of nilearn, then the z-score."""
    write_run(tmp_path, SCAN, volumes=200)
    bold = found(tmp_path, atlas)
    settings = Parcellation(repetition_time=2.5, min_coverage=0.4)
    run = read_fmriprep(bold, atlas, strategy, settings)
    ours, _ = scan_timeseries(run, settings)
    masker = NiftiLabelsMasker(
        atlas.image,
        mask_img=str(bold).replace("desc-preproc_bold", "desc-brain_mask"),
        resampling_target="data",
        standardize=None,
        detrend=True,
        low_pass=0.1,
        high_pass=0.01,
        t_r=2.5,
    )
    confounds, _ = load_confounds(bold, strategy, settings)
    theirs = masker.fit_transform(str(bold), confounds=confounds).T[[1, 0]]
    theirs = (theirs - theirs.mean(1, keepdims=True)) / theirs.std(1, keepdims=True)
    np.testing.assert_allclose(ours[:2], theirs, atol=1e-4)
    assert np.isnan(ours[2]).all()


def test_a_bad_scan_is_kept_with_its_reason(tmp_path: Path, atlas: Atlas) -> None:
    for person in ("01", "02", "03", "06"):
        write_run(tmp_path, f"sub-{person}_task-rest", volumes=100 if person != "03" else 30)
    next(tmp_path.rglob("sub-06*_timeseries.tsv")).write_text("nothing useful")
    good = {"status": "ok", "reason": "", "mean_fd": 0.1, "dice": 0.95}
    rows = [
        {"scan": f"sub-{n}_task-rest", "participant_id": f"sub-{n}"} | good | extra
        for n, extra in {
            "01": {},
            "02": {"mean_fd": 1.8},
            "03": {},
            "04": {"status": "failed", "reason": "truncated", "mean_fd": "", "dice": ""},
            "05": {},
            "06": {},
        }.items()
    ]
    scans = write_status(tmp_path, rows)
    out = tmp_path / "timeseries.parquet"
    parcellate_shard(scans, tmp_path, atlas, Parcellation(keep_means=True), Origin(), out)
    table = read_scan_table([out]).set_index("participant_id")
    assert table["status"].tolist() == ["ok"] + ["excluded"] * 5
    assert "1.80 mm" in table.loc["sub-02", "reason"]
    assert "75 s of data, at least 120 needed" in table.loc["sub-03", "reason"]
    assert table.loc["sub-04", "reason"] == "truncated"
    assert "no preprocessed BOLD" in table.loc["sub-05", "reason"]
    assert "confounds 'simple' cannot be loaded" in table.loc["sub-06", "reason"]
    (scan,) = list(iter_scans([out]))
    assert scan.timeseries_CT.shape == (3, 124)  # 247.5 s between first and last, every 2 s
    assert np.isnan(scan.timeseries_CT[2]).all()
    assert np.allclose(scan.timeseries_CT[:2].std(axis=1), 1, atol=1e-4)
    manifest = read_manifest(out)
    assert manifest.labels == ("b", "a", "c")
    assert (manifest.tr, manifest.space) == (2.0, "MNI152NLin2009aSym")
    assert table.loc["sub-01", "repetition_time"] == 2.5  # before
    means = read_table(out, ["means"])["means"]
    assert means.notna().tolist() == [True] + [False] * 5
    assert means[0].reshape(3, 100)[0].mean() == pytest.approx(1000, rel=1e-2)


def test_the_cohort_survives_what_nobody_foresaw(
    tmp_path: Path, atlas: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("odd data")

    write_run(tmp_path, SCAN)
    good = {"status": "ok", "reason": "", "mean_fd": 0.1, "dice": 0.95}
    scans = write_status(tmp_path, [{"scan": SCAN, "participant_id": "sub-01"} | good])
    monkeypatch.setattr("semantoks.data.parcellate.stage.scan_timeseries", fail)
    out = tmp_path / "t.parquet"
    parcellate_shard(scans, tmp_path, atlas, Parcellation(), Origin(), out)
    assert read_scan_table([out])["reason"].tolist() == ["RuntimeError: odd data"]


def test_short_scans_have_no_room_for_many_confounds(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN, volumes=60)
    bold = found(tmp_path, atlas)

    def clean(**settings: Any) -> dict[str, float]:
        chosen = Parcellation(**settings)
        return scan_timeseries(read_fmriprep(bold, atlas, "simple", chosen), chosen)[1]

    # 150 s × 0.09 Hz × 2 = 27 degrees of freedom; 24 + 2 confounds, or 6 + 2.
    with pytest.raises(ScanError, match="1 degrees of freedom left"):
        clean()
    assert clean(motion="basic")["dof"] == pytest.approx(19)


def test_an_empty_shard_gives_an_empty_table(tmp_path: Path, atlas: Atlas) -> None:
    columns = ["scan", "participant_id", "session", "task", "run"]
    empty = pd.DataFrame(columns=[*columns, "status", "reason", "mean_fd", "dice", "problem"])
    empty.to_csv(tmp_path / "scans.tsv", sep="\t", index=False)
    out = tmp_path / "timeseries.parquet"
    parcellate_shard(empty[[*columns, "problem"]], tmp_path, atlas, Parcellation(), Origin(), out)
    assert list(iter_scans([out])) == []
    assert len(read_scan_table([out])) == 0


def test_missing_files_are_a_reason(tmp_path: Path, atlas: Atlas) -> None:
    with pytest.raises(ScanError, match="no preprocessed BOLD image"):
        found(tmp_path, atlas)


def test_the_image_in_the_space_of_the_atlas_is_taken(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    for path in list((tmp_path / "sub-01" / "func").glob("*_space-*")):
        other = path.name.replace("2009aSym", "6Asym_res-2")
        path.with_name(other).write_bytes(path.read_bytes())
    exact = replace(atlas, space="MNI152NLin6Asym")
    assert "space-MNI152NLin6Asym_res-2_desc-preproc" in found(tmp_path, exact).name
    with pytest.raises(ScanError, match="images are in MNI152NLin2009aSym, MNI152NLin6Asym, the"):
        found(tmp_path, replace(atlas, space="MNI152NLin2009cAsym"))


@pytest.mark.parametrize(
    ("measures", "settings", "sentence"),
    [
        ({"tsnr": 12.0}, {"min_tsnr": 20}, "temporal signal-to-noise ratio 12.0, at least 20"),
        ({"dvars": 9.0}, {"max_dvars": 5}, "DVARS 9.0 % of the mean signal, at most 5 allowed"),
        ({"mean_fd": 0.7}, {}, "displacement 0.70 mm, at most 0.5 allowed"),
        ({"censored": 0.75}, {}, "75% of the volumes censored, at most 0.5 allowed"),
        ({"coverage": 0.05}, {}, "5% of the atlas covered, at least 0.1 needed"),
    ],
)
def test_every_threshold_says_so(
    measures: dict[str, float], settings: dict[str, float], sentence: str
) -> None:
    with pytest.raises(ScanError, match=sentence) as caught:
        require_quality(measures, Parcellation(**settings))
    assert caught.value.measures == measures
    require_quality({name: float("nan") for name in measures}, Parcellation(**settings))
