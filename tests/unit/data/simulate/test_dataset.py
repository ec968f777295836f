from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.config import Simulation
from semantoks.data.simulate.activity import load_regions
from semantoks.data.simulate.dataset import write_dataset
from semantoks.errors import UserError

TINY = Simulation(
    participants=4,
    two_sessions=1,
    seconds=30,
    repetition_time=2.5,
    voxel_size=8,
    anatomy_voxel_size=6,
)


def test_time_series_are_reproducible_and_carry_the_phenotypes(tmp_path: Path) -> None:
    settings = Simulation(participants=40, two_sessions=1, seconds=360)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        write_dataset(folder, tmp_path / "truth", settings, threads=2, images=False)
    files = sorted(first.glob("sub-*/**/*_timeseries.npy"))
    assert len(files) == 41
    for path in files:
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()
    series = np.stack([np.load(path) for path in files[1:]])  # without session 1 of sub-001
    assert series.shape == (40, 144, 300)
    visual = series[:, :, load_regions().networks == "Visual"]
    power, hz = np.abs(np.fft.rfft(visual, axis=1)) ** 2, np.fft.rfftfreq(144, 2.5)
    band = (hz > 0.01) & (hz < 0.1)
    share = power[:, band].mean(axis=2)
    centre = (share * np.log(hz[band])).sum(axis=1) / share.sum(axis=1)
    table = pd.read_csv(first / "participants.tsv", sep="\t")
    assert np.corrcoef(centre, table["trait"])[0, 1] > 0.8
    assert "derivative" in (first / "dataset_description.json").read_text()


def test_other_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text('{"Name": "mine"}')
    with pytest.raises(UserError, match="holds other files"):
        write_dataset(tmp_path, tmp_path / "truth", TINY, threads=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "settings.json"
    }


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    write_dataset(folder / "bids", folder / "truth", TINY, threads=2)
    return folder


@pytest.mark.slow
def test_threads_and_more_participants_change_no_image(simulated: Path, tmp_path: Path) -> None:
    settings = TINY.model_copy(update={"participants": 5})
    write_dataset(tmp_path / "bids", tmp_path / "truth", settings, threads=1)
    first, second = contents(simulated), contents(tmp_path)
    changed = {name for name, content in first.items() if second[name] != content}
    assert changed == {"bids/participants.tsv", "truth/participants.tsv"}
    # With fewer participants again, the files of the fifth are removed.
    write_dataset(tmp_path / "bids", tmp_path / "truth", TINY, threads=2)
    assert contents(tmp_path) == first


@pytest.mark.slow
def test_every_scan_has_its_ground_truth(simulated: Path) -> None:
    runs = sorted(simulated.glob("bids/**/*_bold.nii.gz"))
    assert len(runs) == 5
    for run in runs:
        scan = run.name.removesuffix("_bold.nii.gz")
        motion = pd.read_csv(simulated / "truth" / f"{scan}_motion.tsv", sep="\t")
        activity = np.load(simulated / "truth" / f"{scan}_activity.npy")
        assert (len(motion), activity.shape) == (12, (300, 12))
        if "sub-003" in scan:  # truncated
            with pytest.raises((EOFError, OSError)):
                np.asarray(nib.load(run).dataobj)
        else:
            assert nib.load(run).shape == (26, 30, 24, 12)
            assert np.asarray(nib.load(run).dataobj).max() > 500


@pytest.mark.slow
def test_bids_validator_reports_no_error(simulated: Path) -> None:
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    result = subprocess.run(
        [validator, simulated / "bids"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
