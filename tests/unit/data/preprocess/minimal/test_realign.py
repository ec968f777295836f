"""Motion correction recovers known motion."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from semantoks.data.preprocess.minimal.geometry import (
    grid_centre,
    grid_points,
    rigid_matrix,
    rigid_parameters,
    transform,
)
from semantoks.data.preprocess.minimal.realign import choose_reference, realign
from semantoks.errors import ScanError

SHAPE = (26, 30, 22)
BRAIN = np.random.default_rng(0).normal(0, [25, 35, 20], (60, 3))  # centres of blobs, mm


def oblique_affine() -> NDArray[Any]:
    affine = rigid_matrix(np.r_[0, 0, 0, -0.2, 0.05, 0.1], np.zeros(3))
    affine[:3, :3] *= 5
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(SHAPE) - 1) / 2)
    return affine


def phantom(points: NDArray[Any]) -> NDArray[Any]:
    """Evaluate an analytic image at points, so that moving it needs no interpolation."""
    inside = np.exp(-(((points.T / [60, 75, 45]) ** 2).sum(1) ** 4))
    squared = ((points.T[:, None] - BRAIN) ** 2).sum(-1)
    return np.asarray(inside * (500 + 400 * np.exp(-squared / (2 * 8**2)).sum(1)))


def simulate(motion: NDArray[Any], affine: NDArray[Any], noise: float = 5) -> NDArray[Any]:
    """Acquire the phantom while it moves, shape (x, y, z, volumes)."""
    rng = np.random.default_rng(1)
    centre, points = grid_centre(SHAPE, affine), grid_points(SHAPE, affine)
    volumes = [
        phantom(transform(np.linalg.inv(rigid_matrix(p, centre)), points)).reshape(SHAPE)
        for p in motion
    ]
    images = np.stack(volumes, axis=-1)
    return (images + rng.normal(0, noise, images.shape)).astype(np.float32)


def distance(estimate: NDArray[Any], truth: NDArray[Any], affine: NDArray[Any]) -> NDArray[Any]:
    """Average the distance (mm) between true and estimated positions of points in the brain."""
    centre, points = grid_centre(SHAPE, affine), BRAIN.T
    return np.array(
        [
            np.linalg.norm(
                transform(rigid_matrix(e, centre), points)
                - transform(rigid_matrix(t, centre), points),
                axis=0,
            ).mean()
            for e, t in zip(estimate, truth, strict=True)
        ]
    )


def mask_of(images: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(images[..., 0] > 250)


def random_walk(steps: int, size: float) -> NDArray[Any]:
    motion = np.cumsum(np.random.default_rng(2).normal(0, size, (steps, 6)), axis=0)
    motion[:, 3:] /= 50
    return motion - motion[0]


def test_motion_is_accurate_to_a_fiftieth_of_a_voxel() -> None:
    truth, affine = random_walk(12, 0.3), oblique_affine()
    images = simulate(truth, affine)
    estimate = realign(images, affine, mask_of(images), reference=0)
    assert distance(estimate, truth, affine).max() < 0.1


def test_another_reference_gives_the_same_motion() -> None:
    truth, affine = random_walk(8, 0.3), oblique_affine()
    images, centre = simulate(truth, affine), grid_centre(SHAPE, affine)
    estimate = realign(images, affine, mask_of(images), reference=4)
    to_reference = np.linalg.inv(rigid_matrix(truth[4], centre))
    relative = [rigid_parameters(rigid_matrix(p, centre) @ to_reference, centre) for p in truth]
    assert distance(estimate, np.array(relative), affine).max() < 0.1


def test_a_jump_of_more_than_a_voxel_is_estimated() -> None:
    truth, affine = np.zeros((4, 6)), oblique_affine()
    truth[2:] = [6, -4, 5, 0.08, -0.06, 0.05]
    images = simulate(truth, affine)
    estimate = realign(images, affine, mask_of(images), reference=0)
    assert distance(estimate, truth, affine).max() < 0.1


def test_intensity_drift_is_not_taken_for_motion() -> None:
    affine = oblique_affine()
    images = simulate(np.zeros((5, 6)), affine, noise=2)
    tilt = grid_points(SHAPE, affine)[1].reshape(SHAPE) / 100
    for t in range(5):
        images[..., t] *= 1 + 0.02 * t + 0.02 * t * tilt
    estimate = realign(images, affine, mask_of(images), reference=0)
    assert distance(estimate, np.zeros((5, 6)), affine).max() < 0.05


def test_the_error_names_the_volume_that_cannot_be_aligned() -> None:
    images = simulate(np.zeros((3, 6)), oblique_affine())
    images[..., 2] = np.nan
    with pytest.raises(ScanError, match="volume 2 of 3"):
        realign(images, oblique_affine(), mask_of(images), reference=0)


def test_the_reference_is_not_an_outlier() -> None:
    images = np.random.default_rng(0).normal(100, 1, (5, 5, 5, 8)).astype(np.float32)
    images[..., [0, 3]] += 30
    assert choose_reference(images, non_steady=1) not in (0, 3)


@pytest.mark.slow
def test_faster_and_more_accurate_than_ants(capsys: pytest.CaptureFixture[str]) -> None:
    """Repeat the measurement of docs/decisions/0001-motion-correction.md at the demo's size."""
    images, affine, truth, points = demo_run(volumes=12)
    ours(images, affine, "")  # imports modules before time is measured
    centre, volumes = grid_centre(images.shape[:3], affine), truth.shape[0]
    figures = {}
    for name, estimate in (("ours", ours), ("Rigid", ants_rigid), ("BOLDRigid", ants_rigid)):
        started = time.process_time()
        matrices = estimate(images, affine, name)
        seconds = (time.process_time() - started) / (volumes - 1)
        errors = [
            np.linalg.norm(
                transform(m, points) - transform(rigid_matrix(t, centre), points), axis=0
            )
            for m, t in zip(matrices, truth, strict=True)
        ]
        figures[name] = (seconds, float(np.mean(errors[1:])))
    with capsys.disabled():
        for name, (seconds, error) in figures.items():
            print(f"\n{name}: {seconds:.3f} CPU-s per volume, error {error:.3f} mm", end="")
    assert all(figures["ours"][0] < figures[name][0] / 5 for name in ("Rigid", "BOLDRigid"))
    assert all(figures["ours"][1] < figures[name][1] / 2 for name in ("Rigid", "BOLDRigid"))


def demo_run(volumes: int) -> tuple[NDArray[Any], ...]:
    """Simulate a run; return images, affine, true motion and points in the brain."""
    from semantoks.config import Simulation
    from semantoks.data.simulate import activity, anatomy, participants
    from semantoks.data.simulate.scanner import acquisition, motion, protocol
    from semantoks.data.simulate.scanner.subject import Subject

    settings = Simulation(seconds=2.5 * volumes)
    rng, regions = np.random.default_rng(5), activity.load_regions()
    person = participants.draw_participants(settings, regions.network_names)[7]
    plan = protocol.draw_protocol(rng, settings)
    truth = motion.draw_motion(rng, volumes, 2.5, mean_fd=0.25)
    subject = Subject(anatomy.build_head(), anatomy.draw_head_shape(rng), np.eye(4))
    signals = activity.region_signals(rng, person, regions, settings.seconds)
    images = acquisition.acquire_bold(rng, subject, plan, truth, signals).astype(np.float32)
    return images, plan.grid.affine, truth, regions.centres.T


def ours(images: NDArray[Any], affine: NDArray[Any], _: str) -> list[NDArray[Any]]:
    from semantoks.data.preprocess.minimal.anatomy import bold_mask
    from semantoks.data.preprocess.minimal.ants_bridge import Image

    mask = bold_mask(Image(images[..., 0], affine))
    motion = realign(images, affine, mask, reference=0)
    return [rigid_matrix(p, grid_centre(images.shape[:3], affine)) for p in motion]


def ants_rigid(images: NDArray[Any], affine: NDArray[Any], kind: str) -> list[NDArray[Any]]:
    import ants

    from semantoks.data.preprocess.minimal.ants_bridge import Image, _read_matrix

    fixed, matrices = Image(images[..., 0], affine).to_ants(), [np.eye(4)]
    for t in range(1, images.shape[3]):
        moving = Image(images[..., t], affine).to_ants()
        result = ants.registration(fixed, moving, kind, random_seed=1)
        for path in map(Path, result["fwdtransforms"]):
            matrices.append(_read_matrix(str(path)))
            path.unlink()
    return matrices
