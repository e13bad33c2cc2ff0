"""One job that runs as several processes: starts them, listens, and ends with them."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterable
from threading import Thread

from mid_core.errors import Interrupted, MidError, NotFinite
from mid_core.runtime import slurm
from mid_core.runtime.interruption import Stop

# How torchrun says that a process did not end by itself; it ends others by SIGTERM.
KILLED = re.compile(r"rank\s*: (\d+) .*\n\s*exitcode\s*: -(?!15\b)(\d+) ")
LISTEN_S, LINES = 0.2, 60
log = logging.getLogger("mid")


class _Listener(Thread):
    """Takes in what the processes report, and logs it."""

    def __init__(self, lines: Iterable[str]) -> None:
        super().__init__(daemon=True)
        self._lines = lines
        self.failed, self.interrupted, self.status = "", "", MidError.status
        self.other: deque[str] = deque(maxlen=LINES)

    def run(self) -> None:
        for line in self._lines:
            try:
                said = json.loads(line)
                self._take(**said)
            except (ValueError, TypeError):
                self.other.append(line.rstrip())

    def _take(
        self,
        level: int = logging.INFO,
        text: str = "",
        rank: int = 0,
        failed: str = "",
        interrupted: str = "",
        status: int = MidError.status,
    ) -> None:
        if text:
            log.log(level, text)
        # What fails later fails because of the first.
        if failed and not self.failed:
            self.failed, self.status = f"process {rank}: {failed}", status
        self.interrupted = self.interrupted or interrupted


def launch(script: str, processes: int, threads: int, stop: Stop) -> None:
    """Run a script in several processes by torchrun, and wait for all of them.

    In a SLURM job of several nodes they are shared out evenly. The script must call
    ``distributed.run_member``.

    Parameters
    ----------
    script
        Python file.
    processes
        How many.
    threads
        CPU threads of each.
    stop
        When to tell them to stop; they then do so at a safe point.

    Raises
    ------
    Interrupted
        If they were told to stop.
    MidError
        If one of them failed: the others are then ended too.
    """
    # In a session of its own, for Ctrl-C to reach it through ``stop`` alone.
    with (
        stop,
        subprocess.Popen(
            command(script, processes),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
            text=True,
            start_new_session=True,
        ) as team,
    ):
        listener = _Listener(team.stdout)
        listener.start()
        while team.poll() is None:
            if stop.reason:
                team.stdin.close()
            listener.join(LISTEN_S)
        # Members that torchrun left behind, killed itself, stop too.
        team.stdin.close()
        listener.join()
    if listener.interrupted:
        told, _, where = listener.interrupted.partition(", ")
        raise Interrupted(f"{stop.reason or told}, {where}")
    if team.returncode and stop.reason:
        raise Interrupted(f"{stop.reason}, before the first step")
    if team.returncode:
        ends = NotFinite if listener.status == NotFinite.status else MidError
        raise ends(_failure(listener))


def _failure(listener: _Listener) -> str:
    """Say which process failed first, and why."""
    others = "\n".join(listener.other)
    goes_on = "the same command goes on from the last state"
    if killed := KILLED.search(others):
        name = signal.Signals(int(killed[2])).name
        return (
            f"process {killed[1]} was ended by {name}, by whatever ran out, memory for "
            f"one; {goes_on}"
        )
    if listener.failed:
        return f"{listener.failed}\n(the other processes ended with it; {goes_on})"
    return f"the processes of the training did not come up or ended:\n{others}"


def command(script: str, processes: int) -> list[str]:
    """Return the command that runs the script in so many processes.

    Raises
    ------
    MidError
        If the nodes of the SLURM job cannot have equal numbers of them.
    """
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--max-restarts", "0"]
    nodes = slurm.node_count()
    if nodes == 1:
        return [*torchrun, "--standalone", "--nproc-per-node", str(processes), script]
    if processes % nodes:
        raise MidError(
            f"{nodes} nodes cannot share {processes} processes evenly: let `gpus` in the "
            "config be a multiple of `nodes` in the job's resources"
        )
    with socket.socket() as free:
        free.bind(("", 0))
        meeting = f"{socket.gethostname()}:{free.getsockname()[1]}"
    # Else srun would take the step of one node in which this is for the whole job.
    srun = ["env", *(f"--unset={name}" for name in slurm.step_variables())]
    srun += ["srun", "--overlap", "--kill-on-bad-exit=1", f"--nodes={nodes}"]
    srun += [f"--ntasks={nodes}", "--ntasks-per-node=1", "--cpu-bind=none"]
    torchrun += ["--nnodes", str(nodes), "--nproc-per-node", str(processes // nodes)]
    torchrun += ["--rdzv-backend", "c10d", "--rdzv-endpoint", meeting]
    return [*srun, *torchrun, "--rdzv-id", slurm.job_id(), script]
