"""The generator plants what it says, and nothing else moves when it is asked for more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from semantoks.config import Simulation
from semantoks.data.simulate.activity import STEP, load_regions, region_signals, sample, slow_noise
from semantoks.data.simulate.dataset import write_dataset
from semantoks.data.simulate.motion import draw_motion, framewise_displacement, rigid_matrix
from semantoks.data.simulate.people import HEAVY_MOTION, draw_people
from semantoks.data.simulate.protocol import slice_times
from semantoks.errors import UserError

NETWORKS = load_regions().network_names
TINY = Simulation(
    participants=4,
    two_sessions=1,
    seconds=30,
    repetition_time=2.5,
    voxel_size=8,
    anatomy_voxel_size=6,
)


def people(n: int = 28, **more: int) -> pd.DataFrame:
    drawn = draw_people(Simulation(participants=n, **more), NETWORKS)
    return pd.DataFrame([{**vars(p), "label": p.label} for p in drawn])


def test_time_series_without_images_carry_the_phenotypes(tmp_path: Path) -> None:
    settings = Simulation(participants=40, two_sessions=1, seconds=360)
    for name in ("one", "two"):
        write_dataset(tmp_path / name, tmp_path / "truth", settings, threads=2, images=False)
    files = sorted(tmp_path.glob("one/sub-*/**/*_timeseries.npy"))
    assert len(files) == 41
    for path in files:
        again = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == again.read_bytes()
    series = np.stack([np.load(path) for path in files[1:]])  # the second session of the first
    assert series.shape == (40, 144, 300)
    visual = series[:, :, load_regions().networks == "Visual"]
    power, hz = np.abs(np.fft.rfft(visual, axis=1)) ** 2, np.fft.rfftfreq(144, 2.5)
    band = (hz > 0.01) & (hz < 0.1)
    share = power[:, band].mean(axis=2)
    centre = (share * np.log(hz[band])).sum(axis=1) / share.sum(axis=1)
    table = pd.read_csv(tmp_path / "one/participants.tsv", sep="\t")
    assert np.corrcoef(centre, table["trait"])[0, 1] > 0.8
    assert "derivative" in (tmp_path / "one/dataset_description.json").read_text()


def test_groups_and_null_are_counterbalanced() -> None:
    counts = pd.crosstab(people()["group"], people()["null"])
    assert counts.to_numpy().tolist() == [[7, 7], [7, 7]]
    pairs = people()["group"].to_numpy().reshape(-1, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()


def test_more_people_change_nobody() -> None:
    pd.testing.assert_frame_equal(people(28), people(29)[:28])


def test_faulty_scans_belong_to_people_of_their_own() -> None:
    table = people()
    faulty = table[table["fault"] != ""]
    assert sorted(faulty["fault"]) == ["motion", "truncated"]
    assert faulty["sessions"].map(len).tolist() == [1, 1]
    assert (table["sessions"].map(len) == 2).sum() == 2
    assert faulty.set_index("fault")["mean_fd"]["motion"] == HEAVY_MOTION


def test_too_few_people_for_the_faults_are_refused() -> None:
    with pytest.raises(ValidationError, match="participants must be at least 5"):
        Simulation(participants=4, two_sessions=3)


def test_motion_has_the_displacement_asked_for() -> None:
    motion = draw_motion(np.random.default_rng(0), 96, 2.5, 0.2)
    assert framewise_displacement(motion).mean() == pytest.approx(0.2)
    assert not motion[0].any()
    matrix = rigid_matrix(motion[-1], np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)


def test_noise_has_unit_variance_and_its_centre() -> None:
    noise = slow_noise(np.random.default_rng(0), np.full(400, 0.035), 600)
    assert noise.var() == pytest.approx(1, abs=0.1)
    power = (np.abs(np.fft.rfft(noise, axis=1)) ** 2).mean(0)
    frequency = np.fft.rfftfreq(noise.shape[1], STEP)
    assert power[(frequency > 0.01) & (frequency < 0.15)].sum() > 0.9 * power.sum()


def test_signals_are_read_between_samples() -> None:
    ramp = np.arange(10.0)[None] * STEP
    np.testing.assert_allclose(sample(ramp, np.array([[0.2, 1.3]])), [[[0.2, 1.3]]])


def planted(group: str) -> tuple[float, float]:
    """Coherence of the default mode and its coupling, over a long run of somebody."""
    person = next(p for p in draw_people(Simulation(), NETWORKS) if p.group == group)
    regions = load_regions()
    signals = region_signals(np.random.default_rng(1), person, regions, 6000)
    default, other = (regions.networks == n for n in ("DefaultMode", "FrontoParietal"))
    within = np.corrcoef(signals[default])
    coupling = np.corrcoef(signals[default].mean(0), signals[other].mean(0))[0, 1]
    off_diagonal = within[~np.eye(len(within), dtype=bool)].mean()
    assert off_diagonal == pytest.approx(person.coherence["DefaultMode"], abs=0.05)
    assert coupling == pytest.approx(person.coupling, abs=0.1)
    return float(off_diagonal), float(coupling)


def test_group_changes_coherence_and_coupling() -> None:
    (low, apart), (high, together) = planted("control"), planted("patient")
    assert high > low + 0.15
    assert together > apart + 0.2


def test_trait_shifts_one_spectrum_only() -> None:
    table = people(200)
    ln_centre = np.log(pd.DataFrame(table["centre_hz"].tolist()))
    r = ln_centre.corrwith(table["trait"]).abs()
    assert r["Visual"] > 0.9
    assert r.drop("Visual").max() < 0.25


def test_slices_are_interleaved_within_the_repetition_time() -> None:
    times = slice_times(37, 2.5)
    assert len(times) == 37
    assert times.min() == 0
    assert times.max() < 2.5
    assert times[0] != times[1]
    assert times[0] == times[8]  # multiband


def test_somebodys_data_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text('{"Name": "mine"}')
    with pytest.raises(UserError, match="holds other files"):
        write_dataset(tmp_path, tmp_path / "truth", TINY, threads=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name != "settings.json"
    }


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    write_dataset(folder / "bids", folder / "truth", TINY, threads=2)
    return folder


@pytest.mark.slow
def test_threads_and_more_people_change_no_image(simulated: Path, tmp_path: Path) -> None:
    settings = TINY.model_copy(update={"participants": 5})
    write_dataset(tmp_path / "bids", tmp_path / "truth", settings, threads=1)
    first, second = contents(simulated), contents(tmp_path)
    changed = {name for name, content in first.items() if second[name] != content}
    assert changed == {"bids/participants.tsv", "truth/participants.tsv"}
    # Fewer people again: what the fifth left is cleared away.
    write_dataset(tmp_path / "bids", tmp_path / "truth", TINY, threads=2)
    assert contents(tmp_path) == first


@pytest.mark.slow
def test_scans_and_truth_belong_together(simulated: Path) -> None:
    runs = sorted(simulated.glob("bids/**/*_bold.nii.gz"))
    assert len(runs) == 5
    for run in runs:
        scan = run.name.removesuffix("_bold.nii.gz")
        motion = pd.read_csv(simulated / "truth" / f"{scan}_motion.tsv", sep="\t")
        activity = np.load(simulated / "truth" / f"{scan}_activity.npy")
        assert (len(motion), activity.shape) == (12, (300, 12))
        if "sub-003" in scan:
            with pytest.raises((EOFError, OSError)):
                np.asarray(nib.load(run).dataobj)
        else:
            assert nib.load(run).shape == (26, 30, 24, 12)
            assert np.asarray(nib.load(run).dataobj).max() > 500


@pytest.mark.slow
def test_the_bids_validator_finds_no_error(simulated: Path) -> None:
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    found = subprocess.run(
        [validator, simulated / "bids"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
