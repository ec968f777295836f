"""What is missing is reported before anything is run."""

from __future__ import annotations

from typing import Any

import pytest

from semantoks.data.preprocess.stage import preprocess_shard
from semantoks.errors import UserError
from semantoks.gate import Gate
from tests.stand_ins.sandbox import Sandbox


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runner": "docker"}, "Runner 'docker' needs the program fmriprep-docker, which is not"),
        ({"runner": "singularity", "image": "x"}, "needs the program singularity, which is not on"),
        ({"runner": "native"}, "needs the program fmriprep, which is not on PATH. Install it, or"),
    ],
)
def test_a_missing_program(sandbox: Sandbox, settings: dict[str, Any], message: str) -> None:
    sandbox.monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError) as error:
        sandbox.run(**settings)
    assert message in str(error.value)


def test_a_missing_licence_image_or_daemon(sandbox: Sandbox) -> None:
    with pytest.raises(UserError, match="licence file, but /x.txt does not exist. Get a free"):
        sandbox.run(license="/x.txt")
    with pytest.raises(UserError, match="FreeSurfer licence file, but none is configured"):
        sandbox.run(license=None)
    with pytest.raises(UserError, match="but /no.sif does not exist. Build it with `apptainer bui"):
        sandbox.run(runner="apptainer", image="/no.sif")
    sandbox.monkeypatch.setenv("DOCKER_DOWN", "1")
    with pytest.raises(UserError, match="does not answer .Cannot connect to the Docker daemon"):
        sandbox.run(runner="docker")
    assert sandbox.participants() == []
    sandbox.monkeypatch.setenv("FS_LICENSE", str(sandbox.folder / "license.txt"))
    assert (sandbox.run(license=None)["status"] == "ok").all()


def test_a_folder_that_a_container_cannot_mount(sandbox: Sandbox) -> None:
    settings = sandbox.settings(runner="docker")
    with pytest.raises(UserError, match="because ':' in its name separates"):
        preprocess_shard(sandbox.scans(), Gate(sandbox.folder / "a:b"), sandbox.out, settings, 1)


def test_folders_of_links_need_another_runner_than_docker(sandbox: Sandbox) -> None:
    settings = sandbox.settings(runner="docker")
    gate = Gate(sandbox.bids, [sandbox.folder / "store"])
    with pytest.raises(UserError, match="store, which fmriprep-docker cannot mount. Set"):
        preprocess_shard(sandbox.scans(), gate, sandbox.out, settings, 1)
