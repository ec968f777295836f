"""The plug-in for Brainmarks, in the suite's own registry where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

import brainmarks.models

try:
    from brainmarks.models.registry import create_model
except ModuleNotFoundError:
    STAND_IN = Path(__file__).resolve().parents[2] / "stand_ins/brainmarks/models"
    brainmarks.models.__path__.append(str(STAND_IN))
    from brainmarks.models.registry import create_model

import brainmarks.models.semantoks_encoder  # the suite imports all modules of the folder
import semantoks
from semantoks.config import Architecture
from semantoks.errors import UserError
from semantoks.model.files.checkpoint import save
from semantoks.model.files.connectome import save_connectome
from semantoks.model.network.encoder import Encoder
from tests.unit.model.conftest import SIZES, WIDTH, make_manifest
from tests.unit.model.files.test_connectome import make_connectome
from tests.workspaces import ROOT

# The plug-in gets series of which brainmarks says the TR, and does not filter them.
AS_IS = {"repetition_time": 2.0, "filtered": True}

REGIONS, NETWORKS = 4, 2
UNFILTERED = {"band_pass": False}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model of the suite's cortical atlas, as far as it says so: with four regions."""
    torch.manual_seed(0)
    manifest = make_manifest(atlas="schaefer400x17")
    encoder = Encoder(Architecture.model_validate(SIZES.model_dump()), manifest.networks)
    encoder.manifest = manifest
    save(encoder, tmp_path / "model")
    save_connectome(tmp_path / "model/connectome.safetensors", make_connectome())
    return tmp_path / "model"


def draw(volumes: int, seed: int = 0, tr: float = 2.0, regions: int = REGIONS) -> dict[str, Any]:
    """Draw a sample as the suite stores it: z-scored over time, with what was taken away."""
    bold_TC = np.random.default_rng(seed).standard_normal((volumes, regions))
    bold_TC = (bold_TC - bold_TC.mean(0)) / bold_TC.std(0)
    sample = {"tr": tr, "bold": torch.from_numpy(bold_TC).float(), "target": seed, "sub": "A"}
    return sample | {"mean": torch.ones(1, regions), "std": torch.ones(1, regions)}


def run(source: Path, samples: list[dict[str, Any]], **kwargs: Any) -> tuple[Any, Any, Any]:
    transform, model = create_model("semantoks", checkpoint=str(source), **kwargs)
    batch = default_collate([transform(sample) for sample in samples])
    assert batch["target"].tolist() == [sample["target"] for sample in samples]
    with torch.inference_mode():
        cls, registers, patches = model.eval()(batch)
    return cls, registers, patches


def test_embeddings_are_those_of_semantoks(folder: Path) -> None:
    """Of scans of many windows, of one, and of less than one in the same batch."""
    samples = [draw(volumes, seed) for seed, volumes in enumerate((90, 20, 33, 9, 13))]
    model = semantoks.load(folder)
    series = [np.asarray(sample["bold"]).T for sample in samples]
    for readout in ("pooled", "networks"):
        cls, registers, patches = run(folder, samples, readout=readout, **UNFILTERED)
        assert registers is patches is None and cls.shape[:2] == (5, 1)
        expected = np.stack([model.embed(array, readout, **AS_IS) for array in series])
        np.testing.assert_allclose(cls[:, 0], expected, atol=1e-5)
    cls, registers, patches = run(folder, samples, **UNFILTERED)
    assert cls.shape == (5, 1, WIDTH) and registers.shape == (5, NETWORKS, WIDTH)
    assert patches.shape == (5, NETWORKS * 2, WIDTH)
    pooled = np.stack([model.embed(array, **AS_IS) for array in series])
    # The suite averages over tokens.
    np.testing.assert_allclose(patches.mean(1), pooled[:, :WIDTH], atol=1e-5)
    np.testing.assert_allclose(registers.mean(1), pooled[:, :WIDTH], atol=1e-5)
    np.testing.assert_allclose(cls[:, 0], pooled[:, WIDTH:], atol=1e-5)


def test_readouts_of_whole_scans_are_the_cls(folder: Path, tmp_path: Path) -> None:
    samples = [draw(90), draw(60, 1)]
    with pytest.raises(UserError, match="does not fit the model: atlas is schaefer400x17"):
        run(folder, samples, readout="coupling", **UNFILTERED)
    manifest = make_manifest()
    encoder = Encoder(SIZES, manifest.networks)
    encoder.manifest = manifest
    save(encoder, folder)
    with pytest.raises(UserError, match="has the atlas tiny, and the suite's data are of semant"):
        run(folder, samples, readout="coupling")
    cls, _, _ = run(folder, samples, readout="coupling", space="schaefer400", **UNFILTERED)
    model = semantoks.load(folder)
    expected = [
        model.embed(np.asarray(sample["bold"]).T, "coupling", **AS_IS) for sample in samples
    ]
    np.testing.assert_allclose(cls[:, 0], np.stack(expected), atol=1e-5)


def test_a_sample_is_filtered_resampled_and_cut(folder: Path) -> None:
    """A slow wave stays, a fast one goes, and the TR becomes that of the model."""
    seconds = np.arange(400)
    waves = [np.sin(2 * np.pi * hertz * seconds) for hertz in (0.05, 0.2)]
    sample = draw(400, tr=1.0) | {"bold": torch.tensor(np.stack([*waves, *waves], 1))}
    sample["bold"][:, 1] += torch.from_numpy(0.1 * np.sin(2 * np.pi * 0.03 * seconds))
    transform, model = create_model("semantoks", checkpoint=str(folder), windows=1)
    assert model.__space__ == "schaefer400"
    window = transform(sample)["bold"][0].numpy()
    slow = np.sin(2 * np.pi * 0.05 * seconds[:40:2]) * np.sqrt(2)
    np.testing.assert_allclose(window[0, 2:], slow[2:], atol=0.1)
    left = np.sin(2 * np.pi * 0.03 * seconds[:40:2]) * np.sqrt(2)
    assert np.corrcoef(window[1], left)[0, 1] > 0.95
    series = transform._series(np.asarray(sample["bold"]), 1.0)
    assert series.shape == (REGIONS, 200)
    cut, _ = create_model("semantoks", checkpoint=str(folder), seconds=200)
    assert cut._series(np.asarray(sample["bold"]), 1.0).shape == (REGIONS, 100)


def test_a_region_without_data_counts_as_not_covered(folder: Path) -> None:
    sample = draw(60)
    sample["bold"][:, 1] = 0
    array = np.asarray(sample["bold"]).T.astype(float)
    cls, _, _ = run(folder, [sample], readout="pooled", **UNFILTERED)
    np.testing.assert_allclose(cls[0, 0], semantoks.load(folder).embed(array, **AS_IS), atol=1e-5)


def test_checkpoints_of_the_reference_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's own test of a model has no arguments, and samples of 16 and 160 volumes."""
    path = ROOT / "tests/reference/tiny.pth"
    monkeypatch.setenv("SEMANTOKS_CHECKPOINT", str(path))
    transform, model = create_model("semantoks")
    assert model.__space__ == "schaefer400_tians3_buckner7"
    for volumes in (16, 160):
        samples = [draw(volumes, seed, tr=1.0, regions=457) for seed in range(2)]
        cls, registers, patches = model(default_collate([transform(s) for s in samples]))
        assert cls.shape[:2] == (2, 1) and registers.shape[:2] == (2, 9)
        assert patches.shape[0] == 2 and torch.isfinite(patches).all()
        # The suite's default on a GPU.
        with torch.autocast("cpu", torch.bfloat16):
            fast = model(default_collate([transform(s) for s in samples]))[0].float()
        assert torch.corrcoef(torch.stack([fast.flatten(), cls.flatten()]))[0, 1] > 0.99


def test_a_wrong_readout_is_a_sentence(folder: Path) -> None:
    with pytest.raises(UserError, match="readout is 'amplitude'; the suite can have tokens"):
        create_model("semantoks", checkpoint=str(folder), readout="amplitude")
