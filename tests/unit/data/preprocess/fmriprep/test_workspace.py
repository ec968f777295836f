"""A repeated run resumes from the working folder."""

from __future__ import annotations

import pytest

from semantoks.data.index.shards import read_shard
from tests.stand_ins.sandbox import RUNS, Sandbox, processes_with, wait_until


def test_a_failed_participant_is_resumed_by_the_next_run(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail(missing={RUNS[0]: "mask"})
    sandbox.run()
    assert "sub-02 failed. " in caplog.text
    sandbox.fail()
    assert (sandbox.run()["status"] == "ok").all()
    log = (sandbox.out / "logs/sub-01+2.log").read_text()
    assert "sub-01 begun" in log  # its outputs were moved to the shard's folder by the first run
    assert "sub-02 resumed" in log
    assert not sandbox.work.exists()


def test_a_stored_participant_with_a_missing_file_is_preprocessed_again(sandbox: Sandbox) -> None:
    sandbox.fail(hang=["03"])
    sandbox.commands_file.write_text("")
    process = sandbox.start(participants_per_call=1)
    log = sandbox.work / "logs/sub-03.log"
    wait_until(lambda: log.exists() and "hangs" in log.read_text())
    process.terminate()
    process.wait()
    wait_until(lambda: not processes_with(str(sandbox.bids)))
    next((sandbox.work / "done/sub-01").rglob("*brain_mask.nii.gz")).unlink()
    sandbox.fail()
    scans = read_shard(sandbox.write_scans())
    assert (sandbox.run(scans, participants_per_call=1)["status"] == "ok").all()
    assert sandbox.participants() == [["01"], ["03"]]
