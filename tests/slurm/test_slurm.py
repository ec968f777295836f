"""The full pipeline on a real Slurm gives the results of a local run, whatever goes wrong."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.slurm.cluster import NODES, Cluster
from tests.slurm.conftest import OnCluster
from tests.workspaces import SMALL, Workspace, same

pytestmark = [pytest.mark.slow, pytest.mark.slurm]


def scontrol(*words: str) -> str:
    return subprocess.run(["scontrol", *words], capture_output=True, text=True, check=True).stdout


def jobs(rule: str, folder: Path) -> list[dict[str, str]]:
    """Return Slurm's records of the jobs of a rule that were submitted from a folder."""
    blocks = scontrol("show", "job").split("\n\n")
    records = [dict(re.findall(r"(\w+)=(\S*)", block)) for block in blocks]
    submitted = [job for job in records if job.get("WorkDir") == str(folder)]
    return [job for job in submitted if re.match(rf"rule_{rule}(_|$)", job.get("Comment", ""))]


def wait_for_job(run: subprocess.Popen[str], folder: Path, rule: str) -> dict[str, str]:
    """Wait until a job of a rule has been running for a second."""
    while run.poll() is None:
        running = [job for job in jobs(rule, folder) if job["JobState"] == "RUNNING"]
        if running:
            time.sleep(1)
            return running[0]
        time.sleep(0.1)
    pytest.fail(f"the run ended before {rule}: {(folder / 'run.log').read_text()[-3000:]}")


@pytest.fixture
def on_cluster(workspace: Workspace) -> OnCluster:
    """A workspace that is finished locally, to be re-run in part on the cluster."""
    return OnCluster(workspace.folder)


def disturbed(
    workspace: OnCluster, rule: str, disturb: Callable[[dict[str, str]], object], target: str
) -> subprocess.Popen[str]:
    """Re-run a rule and what a target needs of it, and call `disturb` with its job at work."""
    run = workspace.start(target, "--forcerun", rule)
    job = wait_for_job(run, workspace.folder, rule)
    disturb(job)
    return run


def log(workspace: Workspace) -> str:
    return (workspace.folder / "run.log").read_text()


def test_cluster_gives_the_results_of_a_local_run(
    cluster: Cluster, fresh: Workspace, finished: Workspace
) -> None:
    workspace = OnCluster(fresh.folder)
    workspace.run()
    same(workspace, finished)
    assert workspace.planned() == {}
    # In an array, the task that ends last touches what the first one wrote: docs/clusters.md.
    shards = jobs("preprocess", fresh.folder) + jobs("parcellate", fresh.folder)
    assert len(shards) == 4 and not any("ArrayTaskId" in job for job in shards)
    for rule in ("pretrain", "embed"):
        assert "gres/gpu" in jobs(rule, fresh.folder)[0]["TRES"] or jobs(rule, fresh.folder)[0][
            "TresPerJob"
        ].startswith("gres:gpu")


def test_cancelled_job_is_submitted_again(
    cluster: Cluster, on_cluster: OnCluster, finished: Workspace
) -> None:
    def cancel(job: dict[str, str]) -> None:
        subprocess.run(["scancel", job["JobId"]], check=True)

    run = disturbed(on_cluster, "preprocess", cancel, "timeseries")
    assert run.wait() == 0, log(on_cluster)[-3000:]
    states = [job["JobState"] for job in jobs("preprocess", on_cluster.folder)]
    assert "CANCELLED" in states and states.count("COMPLETED") == 2
    same(on_cluster, finished)


def test_job_out_of_memory_is_retried_with_more(
    cluster: Cluster, on_cluster: OnCluster, finished: Workspace
) -> None:
    run = on_cluster.start(
        "embeddings", "--forcerun", "pretrain", "--set-resources", "pretrain:mem_mb=200*attempt"
    )
    assert run.wait() == 0, log(on_cluster)[-3000:]
    states = [job["JobState"] for job in jobs("pretrain", on_cluster.folder)]
    assert len(states) > 1 and states[-1] == "COMPLETED", states
    same(on_cluster, finished)


def test_drained_node_gets_no_further_jobs(
    cluster: Cluster, on_cluster: OnCluster, finished: Workspace
) -> None:
    def drain(job: dict[str, str]) -> None:
        scontrol("update", f"nodename={job['NodeList']}", "state=drain", "reason=test")

    try:
        run = disturbed(on_cluster, "parcellate", drain, "embeddings")
        assert run.wait() == 0, log(on_cluster)[-3000:]
        drained = [node for node in scontrol("show", "node").split("\n\n") if "DRAIN" in node]
        assert len(drained) == 1
        same(on_cluster, finished)
    finally:
        for node in NODES:
            resume = ["scontrol", "update", f"nodename={node}", "state=resume"]
            subprocess.run(resume, check=False, capture_output=True)
        cluster.wait_until_idle()


def test_restart_after_the_submitting_process_was_killed(
    cluster: Cluster, on_cluster: OnCluster, finished: Workspace
) -> None:
    run = on_cluster.start("embeddings", "--forcerun", "pretrain")
    orphan = wait_for_job(run, on_cluster.folder, "pretrain")
    # On a busy machine it would be finished before the next run looks for it.
    scontrol("suspend", orphan["JobId"])
    run.kill()
    run.wait()
    done = on_cluster.run("embeddings")
    assert "Cancelling 1 Slurm jobs that a killed run left in the queue" in done.stdout
    assert [
        job["JobState"]
        for job in jobs("pretrain", on_cluster.folder)
        if job["JobId"] == orphan["JobId"]
    ] == ["CANCELLED"]
    same(on_cluster, finished)


def test_failure_names_the_log(cluster: Cluster, on_cluster: OnCluster) -> None:
    first = next((on_cluster.folder / "results/index/small").glob("shard-*.tsv"))
    first.write_text("not a table\n")
    done = on_cluster.run("--forcerun", "preprocess", "--retries", "0", check=False)
    assert done.returncode != 0
    assert "logs/preprocessed/small/shard-" in done.stdout + done.stderr


def test_pretraining_on_two_nodes_gives_the_model_of_a_single_node(
    cluster: Cluster, on_cluster: OnCluster, finished: Workspace
) -> None:
    tiny = SMALL["models"]["tiny"]
    on_cluster.configure(models={"tiny": tiny | {"nodes": 2, "cpu_threads": 2}})
    weights = "results/models/tiny/encoder.safetensors"
    # The limit of a profile for ordinary jobs must not apply to distributed pretraining.
    run = on_cluster.start(weights, "--forcerun", "pretrain", "--max-threads", "1")
    assert run.wait() == 0, log(on_cluster)[-3000:]
    job = jobs("pretrain", on_cluster.folder)[-1]
    assert job["NumNodes"] == "2"
    ours, theirs = (load_file(workspace.folder / weights) for workspace in (on_cluster, finished))
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-3)
