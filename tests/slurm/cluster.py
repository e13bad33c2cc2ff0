"""A SLURM of some nodes, in a folder: no service of the machine is used or disturbed.

It is that of Debian's packages slurm-wlm and munge, on ports of its own, as whoever
runs the tests. All its nodes are this machine; each has more cores than it, so that jobs
start at once, and two GPUs, which are device files that every machine has.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import psutil

DAEMONS = ("munged", "slurmctld", "slurmd")
SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
HOST = socket.gethostname().split(".")[0]
# SLURM does not miss a job that is younger than BatchStartTimeout + MessageTimeout.
YOUNG_S = 6
# cred_expire: a requeued job waits for so long; MinJobAge: the plugin wants 120.
CONFIG = """\
ClusterName=mid
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=0,batch_sched_delay=0
SlurmdParameters=config_overrides
DefMemPerNode=100
MinJobAge=300
BatchStartTimeout=1
MessageTimeout=5
KillWait=5
ReturnToService=2
GresTypes=gpu
NodeName=DEFAULT CPUs=32 RealMemory=1000000 Gres=gpu:2
PartitionName=all Nodes=ALL Default=YES
"""
NODE = "NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}\n"
DEVICES = "Name=gpu File=/dev/null,/dev/zero\n"
SRUN = '#!/bin/sh\nSLURM_CONF={conf} exec {srun} "$@"\n'


def what_is_missing() -> str:
    """Why no cluster can be started here; empty if one can."""
    missing = [name for name in DAEMONS if not shutil.which(name, path=SBIN)]
    if not missing:
        return ""
    return f"no SLURM to start: {', '.join(missing)} missing (slurm-wlm and munge)"


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 180) -> None:
    """Wait for something to come true; give up when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Cluster:
    """Runs while its context lasts.

    Parameters
    ----------
    folder
        An empty folder, with a short name: sockets allow for about 100 characters.
    nodes
        Names of its nodes.
    """

    def __init__(self, folder: Path, nodes: Sequence[str] = ("n1",)) -> None:
        self.folder, self.nodes = folder, nodes
        self._daemons: dict[str, subprocess.Popen] = {}
        own = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")}
        path = [str(folder / "bin"), str(Path(sys.executable).parent), SBIN]
        conf = {"SLURM_CONF": str(folder / "slurm.conf")}
        self.environment = own | conf | {"PATH": os.pathsep.join(path)}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def run(self, *command: object, must: bool = True) -> str:
        """Run a command as on a login node, which must succeed; return what it said."""
        done = subprocess.run(
            [str(word) for word in command],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not (must and done.returncode), f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def jobs(self) -> dict[int, dict[str, str]]:
        """What SLURM knows of each job, finished or not, after the job's number."""
        text = self.run("scontrol", "show", "jobs", "--details", "--oneliner")
        fields = [
            dict(word.split("=", 1) for word in line.split() if "=" in word)
            for line in text.splitlines()
        ]
        return {int(job["JobId"]): job for job in fields if "JobId" in job}

    def work(self) -> list[psutil.Process]:
        """The processes of the jobs that run on the node."""
        found = []
        for process in self._processes():
            with suppress(psutil.Error):
                if _is_step(process) or "SLURM_JOB_ID" in process.environ():
                    found.append(process)
        return found

    def lose_the_queue(self) -> None:
        """Let the controller forget every job, as after the loss of its disk."""
        self._end("slurmctld")
        shutil.rmtree(self.folder / "state")
        (self.folder / "state").mkdir()
        self._start_controller()

    def crash_the_node(self) -> None:
        """Kill slurmd and all that runs, at once, and start it again in a while."""
        (node,) = self.nodes
        self._end(node, signal.SIGKILL)
        # The steps' own processes first: they would report what they see.
        for process in sorted(self.work(), key=_is_step, reverse=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(2 * YOUNG_S)
        self._start_node(node)

    def _start(self) -> None:
        controller, *ports = _free_ports(1 + len(self.nodes))
        names = {"host": HOST, "folder": self.folder, "user": getpass.getuser()}
        text = CONFIG.format(**names, controller=controller)
        for node, port in zip(self.nodes, ports, strict=True):
            text += NODE.format(node=node, host=HOST, port=port)
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text(DEVICES)
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        # In its jobs the plugin takes SLURM_CONF away from srun (2.8).
        srun = self.folder / "bin/srun"
        conf = self.environment["SLURM_CONF"]
        srun.write_text(SRUN.format(conf=conf, srun=shutil.which("srun")))
        srun.chmod(0o755)
        self._start_munge()
        self._start_controller()
        for node in self.nodes:
            self._start_node(node)

    def _start_munge(self) -> None:
        files = {
            f"--{name}-file": self.folder / f"munge.{name}"
            for name in ("key", "log", "pid", "seed")
        }
        key, door = files["--key-file"], self.folder / "munge.socket"
        key.touch(0o600)
        key.write_bytes(os.urandom(256))
        # --force: the folder above is closed to others, which munged does not like.
        arguments = [f"{option}={path}" for option, path in files.items()]
        self._launch(
            "munged",
            "munged",
            "--foreground",
            "--force",
            f"--socket={door}",
            *arguments,
        )
        self._await("munged", door.exists)

    def _start_controller(self) -> None:
        self._launch("slurmctld", "slurmctld", "-D")
        ping = ("scontrol", "ping")
        self._await("slurmctld", lambda: " UP" in self.run(*ping, must=False))

    def _start_node(self, node: str) -> None:
        self._launch(node, "slurmd", "-D", "-N", node)
        ready = ("idle", "mixed", "completing")
        state = (
            "sinfo",
            "--noheader",
            "--responding",
            f"--nodes={node}",
            "--format=%T",
        )
        self._await(node, lambda: self.run(*state, must=False).strip() in ready)

    def _launch(self, name: str, program: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                [shutil.which(program, path=SBIN), *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        daemon, log = self._daemons[name], self.folder / f"{name}.log"
        wait_until(lambda: ready() or daemon.poll() is not None, name)
        assert daemon.poll() is None, log.read_text()

    def _end(self, name: str, sign: int = signal.SIGTERM) -> None:
        daemon = self._daemons.pop(name)
        daemon.send_signal(sign)
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def _stop(self) -> None:
        for name in reversed(self._daemons.copy()):
            self._end(name)
        while rest := list(self._processes()):
            for process in rest:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(rest, timeout=5)

    def _processes(self) -> Iterator[psutil.Process]:
        """All that was ever started here and lives: daemons, jobs, and their users."""
        sockets = str(self.folder / "spool")
        conf = self.environment["SLURM_CONF"]
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if _is_step(process):
                    # Its title has overwritten its environment.
                    connected = process.net_connections("unix")
                    ours = any(str(one.laddr).startswith(sockets) for one in connected)
                else:
                    ours = process.environ().get("SLURM_CONF") == conf
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def _is_step(process: psutil.Process) -> bool:
    return process.name() == "slurmstepd"
