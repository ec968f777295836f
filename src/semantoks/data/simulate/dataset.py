"""Write a simulated data set, one process per participant."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path

import numpy as np

from semantoks.config import Simulation
from semantoks.data.simulate import files
from semantoks.data.simulate.activity import load_regions, region_signals, sample
from semantoks.data.simulate.anatomy import BRAIN_CENTRE, build_head, draw_head_shape
from semantoks.data.simulate.participants import Participant, draw_participants
from semantoks.data.simulate.scanner.acquisition import acquire_bold, acquire_t1w
from semantoks.data.simulate.scanner.motion import draw_motion, rigid_matrix
from semantoks.data.simulate.scanner.protocol import T1W_FIELD_OF_VIEW, draw_protocol, make_grid
from semantoks.data.simulate.scanner.subject import Subject
from semantoks.system.workers import completed

log = logging.getLogger(__name__)

REGIONAL_NOISE = 0.5  # standard deviation of the noise of a regional mean


def write_dataset(
    bids: Path, truth: Path, settings: Simulation, threads: int, *, images: bool = True
) -> None:
    """Write a raw BIDS data set with known phenotypes, and its ground truth.

    The result depends only on the settings, not on the number of threads. Adding participants does
    not change the images of the others.

    Parameters
    ----------
    bids : Path
        Folder of the data set; an earlier simulation in it is replaced.
    truth : Path
        Folder of the ground truth: `settings.json`, `regions.tsv`, `participants.tsv`, and head
        motion and regional activity of every scan.
    settings : Simulation
    threads : int
        Number of processes.
    images : bool
        Whether to simulate images. Otherwise regional time series are written, without motion and
        without faulty scans.

    Raises
    ------
    UserError
        When the folder contains files that were not simulated.
    """
    regions = load_regions()
    if not images:
        settings = settings.model_copy(update={"faults": False})
    participants = draw_participants(settings, regions.network_names)
    files.prepare(bids, truth, settings, regions, images)
    if images:
        build_head()  # fills the cache before the workers are forked
    write = _write_images if images else _write_timeseries
    work = partial(write, bids=bids, truth=truth, settings=settings)
    started, total = time.monotonic(), len(participants)
    for done, _ in enumerate(completed(work, participants, threads), 1):
        _log_progress(done, total, time.monotonic() - started)
    files.write_participants(bids, truth, participants)


def _log_progress(done: int, total: int, seconds: float) -> None:
    if done % max(1, total // 50) == 0 or done == total:
        left = seconds / done * (total - done)
        log.info("%d of %d participants, about %.0f s left", done, total, left)


def _write_images(participant: Participant, bids: Path, truth: Path, settings: Simulation) -> None:
    """Write the images of all sessions of a participant."""
    # The second number of a seed is its purpose: 1 phenotypes, 2 groups, 3 head shape, 4 sessions.
    shape = draw_head_shape(np.random.default_rng([settings.seed, 3, participant.index]))
    for number, session in enumerate(participant.sessions):
        rng = np.random.default_rng([settings.seed, 4, participant.index, number])
        pose = draw_pose(rng, millimetres=5, degrees=4)
        subject = Subject(build_head(), shape, pose)
        output = files.SessionFiles(bids, truth, participant.label, session)
        grid = make_grid(T1W_FIELD_OF_VIEW, settings.anatomy_voxel_size)
        output.write_t1w(acquire_t1w(rng, subject, grid), grid.affine)
        # The head moves slightly between the anatomical and the functional scan.
        moved = Subject(build_head(), shape, draw_pose(rng, 1.5, 1.0) @ pose)
        _write_run(rng, moved, participant, output, settings)


def _write_timeseries(
    participant: Participant, bids: Path, truth: Path, settings: Simulation
) -> None:
    """Write the activity of every region plus noise, in place of regional means of images."""
    times = np.arange(int(settings.seconds / settings.repetition_time)) * settings.repetition_time
    for number, session in enumerate(participant.sessions):
        rng = np.random.default_rng([settings.seed, 4, participant.index, number])
        signals = region_signals(rng, participant, load_regions(), settings.seconds)
        activity = sample(signals, times)
        noise = REGIONAL_NOISE * rng.standard_normal(activity.shape)
        output = files.SessionFiles(bids, truth, participant.label, session)
        output.write_timeseries((activity + noise).T, settings)


def _write_run(
    rng: np.random.Generator,
    subject: Subject,
    participant: Participant,
    output: files.SessionFiles,
    settings: Simulation,
) -> None:
    """Acquire and write one BOLD run with its ground truth."""
    protocol = draw_protocol(rng, settings)
    motion = draw_motion(rng, protocol.volumes, settings.repetition_time, participant.mean_fd)
    activity = region_signals(rng, participant, load_regions(), settings.seconds)
    image = acquire_bold(rng, subject, protocol, motion, activity)
    output.write_bold(image, protocol, settings, truncated=participant.fault == "truncated")
    # Slice timing correction shifts all slices to this moment.
    middle = protocol.starts + (protocol.slice_times.min() + protocol.slice_times.max()) / 2
    output.write_truth(motion, sample(activity, middle))


def draw_pose(rng: np.random.Generator, millimetres: float, degrees: float) -> np.ndarray:
    """Draw a rigid pose (4, 4), with standard deviations of translations and rotations."""
    scale = np.r_[np.full(3, millimetres), np.full(3, np.deg2rad(degrees))]
    return rigid_matrix(scale * rng.standard_normal(6), BRAIN_CENTRE)
