"""A GPU for each job: several jobs on one machine take those that are free."""

import fcntl
import logging
import os
import tempfile
import time
from itertools import islice
from pathlib import Path

import torch

from mid_core.errors import MidError
from mid_core.runtime import slurm

POLL_S = 2.0
log = logging.getLogger("mid")
# By index, the open lock files of this process, which end with it however it ends.
_held: dict[int, int] = {}


def hold_gpus(count: int, wait: bool = True) -> list[int]:
    """Take GPUs on which no other job of this machine computes, until the process ends.

    A process that asks again gets what it has. In a SLURM job that has just as many, they
    are its own, and nothing is locked.

    Parameters
    ----------
    count
        How many.
    wait
        Whether to wait until so many are free; else the rest is shared with others.

    Returns
    -------
    Their indices, as torch counts them.

    Raises
    ------
    MidError
        If torch sees fewer.
    """
    if len(_held) == count:
        return sorted(_held)
    visible = range(torch.cuda.device_count())
    if count > len(visible):
        raise too_few("cuda")
    if slurm.job_id() and count == len(visible):
        return list(visible)
    waits = False
    while len(taken := list(islice(filter(_take, visible), count))) < count and wait:
        # All or none: two jobs that each hold a part would wait for each other.
        for gpu in taken:
            os.close(_held.pop(gpu))
        if not waits:
            log.info("waiting: other jobs compute on the %d GPU(s)", len(visible))
        waits = True
        time.sleep(POLL_S)
    others = [gpu for gpu in visible if gpu not in taken]
    gpus = [*taken, *others[: count - len(taken)]]
    names = [torch.cuda.get_device_name(gpu) for gpu in gpus]
    log.info("computing on GPU %s (%s)", ", ".join(map(str, gpus)), ", ".join(names))
    return gpus


def too_few(kind: str) -> MidError:
    """Return the refusal of a job that is to have more GPUs than there are."""
    return MidError(
        f"`gpus` asks for more GPUs of kind {kind} than this node has for "
        "the job: lower it in the config, or give the job as many"
        + (f"\n{slurm.describe()}" if slurm.job_id() else "")
    )


def _take(gpu: int) -> bool:
    """Lock a GPU, unless another process has; True also where this one had it."""
    if gpu in _held:
        return True
    name = torch.cuda.get_device_properties(gpu).uuid
    path = Path(tempfile.gettempdir(), f"mid_gpu_{name}.lock")
    # Other users' files may be opened there, but not in order to create them.
    if not path.exists():
        path.touch()
        path.chmod(0o644)
    try:
        file = os.open(path, os.O_RDONLY)
    except PermissionError as error:
        raise MidError(
            f"{path}, by which jobs share the GPU, cannot be read: it is "
            f"{path.owner()}'s, who can delete it or `chmod 644` it"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _held[gpu] = file
    return True
