"""fMRIPrep and its containers do not outlive a run that is killed."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest

from semantoks.data.index.shards import read_shard
from tests.stand_ins.sandbox import Sandbox, processes_with, wait_until


@pytest.mark.parametrize("runner", ["native", "docker"])
def test_children_of_a_killed_run_end_and_the_next_run_resumes(
    sandbox: Sandbox, runner: str
) -> None:
    sandbox.fail(hang=["03"])
    sandbox.commands_file.write_text("")
    process = sandbox.start(runner=runner, participants_per_call=2)
    log = sandbox.work / "logs/sub-03.log"
    wait_until(lambda: log.exists() and "hangs" in log.read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not processes_with(str(sandbox.bids)))
    assert (sandbox.work / "done/sub-02/rows.json").exists()
    assert not (sandbox.out / "scans.tsv").exists()
    sandbox.fail()
    table = sandbox.run(read_shard(sandbox.write_scans()), runner=runner, participants_per_call=2)
    assert sandbox.participants() == [["03"]]
    assert (table["status"] == "ok").all()
    assert "sub-03 resumed" in (sandbox.out / "logs/sub-03.log").read_text()


def test_a_container_that_outlives_the_supervisor_is_killed_by_the_next_run(
    sandbox: Sandbox,
) -> None:
    sandbox.fail(hang=["03"])
    process = sandbox.start(runner="docker")
    log = sandbox.work / "logs/sub-01+2.log"
    wait_until(lambda: log.exists() and "hangs" in log.read_text())
    for child in [*psutil.Process(process.pid).children(recursive=True), process]:
        if "container" not in Path(f"/proc/{child.pid}/cmdline").read_text().split("\0"):
            child.kill()
    process.wait()
    (container,) = processes_with(str(sandbox.bids))
    sandbox.fail()
    scans = read_shard(sandbox.write_scans())
    assert (sandbox.run(scans, runner="docker")["status"] == "ok").all()
    assert processes_with(str(sandbox.bids)) == []
    assert ["kill", str(container)] in sandbox.commands("docker")
