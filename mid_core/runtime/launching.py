"""Runs a function in several processes: a training or an extraction on several GPUs.

On one node torch starts the processes, on several nodes srun does. All of them meet at
a store of the launcher, in which they also say how they ended. Should the launcher die,
its store is gone, and they are interrupted.
"""

import logging
import os
import pickle
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from multiprocessing.process import BaseProcess

import torch
import torch.distributed as dist
from torch.multiprocessing import start_processes
from torch.multiprocessing.spawn import ProcessException

from mid_core.errors import Interrupted, MidError, NotFinite
from mid_core.runtime import slurm
from mid_core.runtime.devices import device_kind, pick_device
from mid_core.runtime.distributed import ProcessGroup
from mid_core.runtime.gpus import hold_gpus
from mid_core.runtime.interruption import Stop

# How often the launcher looks at the processes. When one has failed, the others get
# GRACE_S to end by themselves, and as long again before they are killed.
POLL_S, GRACE_S = 0.2, 1
# What interrupts the processes: srun passes it on, while at SIGTERM it would kill.
SIGNAL = signal.SIGUSR1
ERRORS = {error.status: error for error in (MidError, NotFinite)}


def launch(
    work: Callable[[ProcessGroup, torch.device], None],
    processes: int,
    device: str,
    stop: Stop,
) -> None:
    """Run ``work(group, device)`` in several processes, and wait for all of them.

    Parameters
    ----------
    work
        A function of the script that runs. Each process loads the script again, under
        another name than ``__main__``.
    processes
        How many. In a SLURM job of several nodes, each node gets the same number.
    device
        Its name in the config.
    stop
        When to interrupt them.

    Raises
    ------
    Interrupted
        If they were interrupted; they have then saved what they save.
    MidError
        If one of them failed; the others are then ended too.
    """
    nodes = slurm.node_count()
    if processes % nodes:
        raise MidError(
            f"{nodes} nodes cannot share {processes} processes evenly: let `gpus` in the "
            "config be a multiple of `nodes` in the job's resources"
        )
    host = socket.gethostname() if nodes > 1 else "localhost"
    store = dist.TCPStore(host, 0, is_master=True, wait_for_workers=False)
    handlers = logging.getLogger().handlers
    files = [h for h in handlers if isinstance(h, logging.FileHandler)]
    logs = [(h.baseFilename, h.formatter) for h in files]
    job = (sys.argv[0], work.__name__), device, logs, (host, store.port), processes
    # On one node this process takes the GPUs for all; of a SLURM job's nodes, all are its.
    own = nodes == 1 and device_kind(device) == "cuda"
    gpus = hold_gpus(processes) if own else list(range(processes // nodes))
    with stop:
        run = _run_here if nodes == 1 else _run_on_nodes
        problem = run((*job, gpus), stop)
    end = store.get("end").decode() if store.check(["end"]) else ""
    _raise(end, problem, stop.reason)


def _raise(end: str, problem: str, reason: str | None) -> None:
    """Raise what the end of the processes amounts to; nothing if all went well."""
    status, _, text = end.partition(" ")
    if status == "0":
        return
    if status == str(Interrupted.status):
        raise Interrupted(text.replace(SIGNAL.name, reason or SIGNAL.name, 1))
    if reason:
        raise Interrupted(f"{reason}, before the first step")
    raise ERRORS[int(status or MidError.status)](
        f"{text or problem}\n(the other processes ended with it; the same command goes "
        "on from the last state)"
    )


def _run_here(job: tuple, stop: Stop) -> str:
    """Run the processes on this node; return how one of them failed, if it did."""
    *_, processes, _ = job
    context, told = start_processes(_work, (job,), processes, join=False), False
    try:
        while not context.join(POLL_S, GRACE_S):
            if stop.reason and not told:
                told = True
                for process in filter(BaseProcess.is_alive, context.processes):
                    os.kill(process.pid, SIGNAL)
    except ProcessException as failure:
        return f"{failure} (SIGKILL mostly means that there was no memory left)"
    return ""


def _run_on_nodes(job: tuple, stop: Stop) -> str:
    """Run the processes on the nodes of the SLURM job; return what srun says."""
    *_, processes, gpus = job
    on_each = len(gpus)
    # Else srun would take the step of one node in which this is for the whole job.
    command = ["env", *(f"--unset={name}" for name in slurm.step_variables())]
    command += ["srun", "--overlap", "--kill-on-bad-exit=1", "--cpu-bind=none"]
    command += [f"--nodes={processes // on_each}", f"--ntasks={processes}"]
    command += [f"--ntasks-per-node={on_each}", sys.executable, "-m", __name__]
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen(
        [*command, pickle.dumps(job).hex()],
        stderr=subprocess.PIPE,
        env=os.environ | paths,
        text=True,
        # For Ctrl-C to reach it through ``stop`` alone.
        start_new_session=True,
    )
    told = False
    while True:
        try:
            return run.communicate(timeout=POLL_S)[1]
        except subprocess.TimeoutExpired:
            if stop.reason and not told:
                told = True
                run.send_signal(SIGNAL)


def _work(rank: int, job: tuple) -> None:
    """Do the work of one process, and say in the store how it ended."""
    (script, function), name, logs, meeting, processes, gpus = job
    store, gpu = dist.TCPStore(*meeting), gpus[rank % len(gpus)]
    threading.Thread(target=_end_with_launcher, args=meeting, daemon=True).start()
    _log_to(logs, logging.CRITICAL if rank else logging.INFO)
    end = "0"
    try:
        device = pick_device(name, gpu=gpu)
        group = ProcessGroup.join(store, rank, processes, device)
        runpy.run_path(script, run_name="__worker__")[function](group, device)
    except Interrupted as error:
        end = f"{error.status} {error}"
    except Exception as error:  # noqa: BLE001
        status, why = getattr(error, "status", MidError.status), str(error)
        if not isinstance(error, MidError):
            why = traceback.format_exc()
            # If it only comes of another's failure, the launcher ends this process first.
            time.sleep(3 * GRACE_S)
        # Only the first failure is kept.
        store.compare_set("end", "", f"{status} process {rank}: {why}")
        # At once: a tidy end would wait for the other processes.
        os._exit(1)
    # What is done is done: whatever comes now must not look like a failure.
    for sign in (signal.SIGTERM, SIGNAL):
        signal.signal(sign, signal.SIG_IGN)
    if end != "0":
        store.compare_set("end", "", end)
    _wait_for_all(meeting, processes)
    if rank == 0:
        store.compare_set("end", "", "0")
    dist.destroy_process_group()


def _wait_for_all(meeting: tuple[str, int], processes: int) -> None:
    """Wait for the other processes, however long their parts of the work take."""
    store = dist.TCPStore(*meeting)
    if store.add("done", 1) == processes:
        store.set("all done", "")
    store.wait(["all done"], timedelta(days=999))


def _end_with_launcher(host: str, port: int) -> None:
    """Interrupt this process when the launcher's store is gone."""
    with suppress(dist.DistError):
        dist.TCPStore(host, port).wait(["nothing"], timedelta(days=999))
    os.kill(os.getpid(), SIGNAL)


def _log_to(logs: list[tuple[str, logging.Formatter]], level: int) -> None:
    text = {"encoding": "utf-8", "errors": "backslashreplace"}
    handlers = [logging.FileHandler(name, **text) for name, _ in logs]
    for handler, (_, formatter) in zip(handlers, logs, strict=True):
        handler.setFormatter(formatter)
    logging.basicConfig(handlers=handlers, level=level, force=True)
    logging.captureWarnings(True)
    # Of kernels of 1x1 pixels: their strides differ in name only.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")


if __name__ == "__main__":
    _work(int(os.environ["SLURM_PROCID"]), pickle.loads(bytes.fromhex(sys.argv[1])))
