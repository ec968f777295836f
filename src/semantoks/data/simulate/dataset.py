"""Scan the made-up people, one process per person."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path

import numpy as np

from semantoks.config import Simulation
from semantoks.data.simulate import files
from semantoks.data.simulate.acquisition import Subject, acquire_bold, acquire_t1w
from semantoks.data.simulate.activity import load_regions, region_signals, sample
from semantoks.data.simulate.anatomy import BRAIN_CENTRE, build_head, draw_shape
from semantoks.data.simulate.motion import draw_motion, rigid_matrix
from semantoks.data.simulate.people import Person, draw_people
from semantoks.data.simulate.protocol import T1W_FIELD_OF_VIEW, draw_protocol, make_grid
from semantoks.system.workers import completed

log = logging.getLogger(__name__)

REGIONAL_NOISE = 0.5  # standard deviation of what a region's mean has beside activity


def write_dataset(
    bids: Path, truth: Path, settings: Simulation, threads: int, *, images: bool = True
) -> None:
    """Write a raw BIDS data set with known phenotypes, and the truth about it.

    The result depends on the settings only, not on the threads; more participants leave the
    images of the others as they are.

    Parameters
    ----------
    bids
        Folder of the data set; what an earlier simulation left there is replaced.
    truth
        Folder for what was planted: `settings.json`, `regions.tsv`, `participants.tsv`, and for
        each scan its head motion and the activity of its regions.
    settings
        What to make.
    threads
        Number of processes.
    images
        Whether to scan the people; else regional time series are written, of nobody who moves.

    Raises
    ------
    UserError
        When the folder holds something that was not simulated.
    """
    regions = load_regions()
    if not images:
        settings = settings.model_copy(update={"faults": False})
    people = draw_people(settings, regions.network_names)
    files.start(bids, truth, settings, regions, images)
    if images:
        build_head()  # kept by a cache that the workers inherit when they are forked
    work = partial(_scan_person if images else _listen, bids=bids, truth=truth, settings=settings)
    started, every = time.monotonic(), max(1, len(people) // 50)
    for done, _ in enumerate(completed(work, people, threads), 1):
        left = (time.monotonic() - started) / done * (len(people) - done)
        if done % every == 0 or done == len(people):
            log.info("%d of %d people, %.0f s left", done, len(people), left)
    files.finish(bids, truth, people)


def _scan_person(person: Person, bids: Path, truth: Path, settings: Simulation) -> None:
    shape = draw_shape(np.random.default_rng([settings.seed, 3, person.index]))
    for number, session in enumerate(person.sessions):
        rng = np.random.default_rng([settings.seed, 4, person.index, number])
        pose = _draw_pose(rng, millimetres=5, degrees=4)
        subject = Subject(build_head(), shape, pose)
        place = files.Place(bids, truth, person.label, session)
        grid = make_grid(T1W_FIELD_OF_VIEW, settings.anatomy_voxel_size)
        place.write_t1w(acquire_t1w(rng, subject, grid), grid.affine)
        # Between the anatomy and the run the head moves a little.
        moved = Subject(build_head(), shape, _draw_pose(rng, 1.5, 1.0) @ pose)
        _scan_run(rng, moved, person, place, settings)


def _listen(person: Person, bids: Path, truth: Path, settings: Simulation) -> None:
    """Write the activity of every region, with noise, as if it had been averaged over images."""
    times = np.arange(int(settings.seconds / settings.repetition_time)) * settings.repetition_time
    for number, session in enumerate(person.sessions):
        rng = np.random.default_rng([settings.seed, 4, person.index, number])
        activity = sample(region_signals(rng, person, load_regions(), settings.seconds), times)
        noise = REGIONAL_NOISE * rng.standard_normal(activity.shape)
        place = files.Place(bids, truth, person.label, session)
        place.write_timeseries((activity + noise).T, settings)


def _scan_run(
    rng: np.random.Generator,
    subject: Subject,
    person: Person,
    place: files.Place,
    settings: Simulation,
) -> None:
    protocol = draw_protocol(rng, settings)
    motion = draw_motion(rng, protocol.volumes, settings.repetition_time, person.mean_fd)
    activity = region_signals(rng, person, load_regions(), settings.seconds)
    image = acquire_bold(rng, subject, protocol, motion, activity)
    place.write_bold(image, protocol, settings, truncated=person.fault == "truncated")
    middle = protocol.starts + (protocol.slice_times.min() + protocol.slice_times.max()) / 2
    place.write_truth(motion, sample(activity, middle))


def _draw_pose(rng: np.random.Generator, millimetres: float, degrees: float) -> np.ndarray:
    scale = np.r_[np.full(3, millimetres), np.full(3, np.deg2rad(degrees))]
    return rigid_matrix(scale * rng.standard_normal(6), BRAIN_CENTRE)
