"""A real Slurm cluster on this machine: munge, controller and two nodes on the loopback device.

Needs root (the daemons run as other users) and the Debian packages slurm-wlm and munge, which are
installed if missing. An existing Slurm is not touched: if there is a /etc/slurm/slurm.conf that
these tests did not write, they are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

STATE = Path("/tmp/semantoks_slurm")
# Not a folder of our choice: the executor plugin removes SLURM_CONF inside jobs.
CONF = Path("/etc/slurm")
MARK = "# Written by the tests of Semantoks"
NODES = ("node1", "node2")

SLURM_CONF = f"""{MARK}
ClusterName=loopback
SlurmctldHost=localhost(127.0.0.1)
AuthType=auth/munge
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={STATE}/controller
SlurmdSpoolDir={STATE}/%n
SlurmctldPidFile={STATE}/slurmctld.pid
SlurmdPidFile={STATE}/%n.pid
SlurmctldLogFile={STATE}/slurmctld.log
SlurmdLogFile={STATE}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill,UsePss
MpiDefault=none
ReturnToService=2
MinJobAge=3600
KillWait=2
MaxArraySize=1001
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,defer
GresTypes=gpu
NodeName=DEFAULT CPUs=2 RealMemory=20000 Gres=gpu:1
NodeName=node1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17001
NodeName=node2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17002
PartitionName=main Nodes=node[1-2] Default=YES MaxTime=INFINITE State=UP
"""
GRES_CONF = f"""{MARK}
NodeName=node[1-2] Name=gpu File=/dev/null
"""
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch")


def missing_requirement() -> str | None:
    """Return why no cluster can be started on this machine; None if one can."""
    if os.geteuid() != 0:
        return "needs root, to start the daemons of Slurm"
    existing = CONF / "slurm.conf"
    if existing.exists() and not existing.read_text().startswith(MARK):
        return f"{existing} belongs to another cluster"
    if all(map(shutil.which, PROGRAMS)):
        return None
    if shutil.which("apt-get") is None:
        return "needs slurm-wlm and munge, and apt-get to install them"
    install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends slurm-wlm munge"
    done = subprocess.run(install, shell=True, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"apt-get failed: {done.stderr.strip()[-300:]}"


class Cluster:
    """The daemons of a cluster."""

    def __init__(self) -> None:
        self.daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Write the configuration, start every daemon, and wait until both nodes are idle."""
        shutil.rmtree(STATE, ignore_errors=True)
        for folder in ("controller", *NODES):
            (STATE / folder).mkdir(parents=True)
        CONF.mkdir(exist_ok=True)
        (CONF / "slurm.conf").write_text(SLURM_CONF)
        (CONF / "gres.conf").write_text(GRES_CONF)
        munge = "install -d -o munge -g munge -m 755 /run/munge && setpriv --reuid=munge "
        munge += "--regid=munge --init-groups /usr/sbin/munged --force"
        if subprocess.run(["pgrep", "munged"], capture_output=True, check=False).returncode:
            subprocess.run(munge, shell=True, check=True)
        self._daemon("slurmctld", "-D", "-c")
        for node in NODES:
            self.start_node(node)
        self.wait_until_idle()

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self._daemon("slurmd", "-D", "-N", node)

    def _daemon(self, *command: str) -> None:
        log = (STATE / f"{command[0]}.out").open("ab")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
        self.daemons.append(
            subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=STATE)
        )

    def wait_until_idle(self, seconds: float = 60) -> None:
        """Wait until both nodes are idle.

        Raises
        ------
        RuntimeError
            When they are not after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.state().count("idle") == len(NODES):
                return
            time.sleep(0.2)
        end = (STATE / "slurmctld.out").read_text()[-600:]
        raise RuntimeError(f"Slurm did not start: {self.state()}; {end}")

    @staticmethod
    def state() -> list[str]:
        """Return the state of each node as reported by sinfo."""
        command = ["sinfo", "-h", "-N", "-o", "%T"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()

    def stop(self) -> None:
        """Cancel all jobs, stop the daemons and remove the configuration."""
        subprocess.run(["scancel", "-u", "root"], check=False, capture_output=True)
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            daemon.wait(timeout=30)
        self.daemons.clear()
        for name in ("slurm.conf", "gres.conf"):
            (CONF / name).unlink(missing_ok=True)
