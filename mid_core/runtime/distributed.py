"""Several processes that train one network: what they share, and how they agree.

Each draws its share of every batch, and torch takes the mean of their gradients. The
first one, rank 0, keeps the files. They agree after every step on whether to save or
to stop, by a message of some bytes between their CPUs.

One that dies takes the others with it, within seconds: torchrun ends them, and they
notice by themselves. One that hangs does after ``PATIENCE``. The job then fails, and
the same command goes on from the last state.
"""

import json
import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mid_core.errors import Interrupted, MidError
from mid_core.runtime import slurm

PATIENCE = timedelta(minutes=10)


def is_member() -> bool:
    """Whether this process was started as one of a team."""
    return "TORCHELASTIC_RUN_ID" in os.environ


@dataclass(frozen=True)
class Team:
    """The processes of one training; a team of one has nobody to wait for.

    Attributes
    ----------
    rank, size
        Which process this is, from 0, and how many there are.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Self:
        """Meet the others, who compute on such a device, if this process is a member.

        Raises
        ------
        MidError
            If this process has no device of its own.
        """
        if not is_member():
            return cls()
        local, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if device.type == "mps" or (device.type == "cuda" and local >= there):
            raise MidError(
                f"`gpus` asks for more GPUs of kind {device.type} than this node has for "
                "the job: lower it in the config, or give the job as many"
                + (f"\n{slurm.describe()}" if slurm.job_id() else "")
            )
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE)
        return cls(dist.get_rank(), dist.get_world_size())

    def shard(self, batch: int) -> slice:
        """Return which crops of a batch this process draws."""
        count = batch // self.size
        return slice(self.rank * count, (self.rank + 1) * count)

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network so that a backward pass gives all the mean gradient."""
        return network if self.size == 1 else DistributedDataParallel(network)

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Return for each flag whether one of the processes raised it."""
        if self.size == 1:
            return flags
        raised = torch.tensor(flags, dtype=torch.uint8)
        dist.all_reduce(raised, dist.ReduceOp.MAX)
        return tuple(map(bool, raised.tolist()))

    def mean(self, numbers: Sequence[float]) -> list[float]:
        """Return the mean of each number over the processes."""
        if self.size == 1:
            return list(numbers)
        total = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(total)
        return (total / self.size).tolist()

    def broadcast(self, value: object) -> object:
        """Return what rank 0 gave as ``value``."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, device=torch.device("cpu"))
        return values[0]


ALONE = Team()


def unsynchronised(network: nn.Module):
    """Return the context in which gradients stay with their process."""
    if isinstance(network, DistributedDataParallel):
        return network.no_sync()
    return nullcontext()


def run_member(job: Callable[[], None]) -> None:
    """Run the job as one of a team, and tell the process that launched it how it goes.

    It must have joined the team when it returns or is interrupted. Reports are lines of
    JSON on standard output. Standard input is a rope: when the launcher lets it go, to
    stop the team or because it died, this process is told to stop.
    """
    rank = int(os.environ["RANK"])
    # The others say nothing but how they fail.
    level = logging.CRITICAL if rank else logging.INFO
    style = {"format": "%(message)s", "force": True}
    logging.basicConfig(handlers=[_Reporter()], level=level, **style)
    logging.captureWarnings(True)
    # Of kernels of 1x1 pixels: their strides differ in name only.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    if torch.cuda.device_count() > int(os.environ["LOCAL_RANK"]):
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    threading.Thread(target=_hold_the_rope, daemon=True).start()
    try:
        job()
    except Interrupted as error:
        # Rank 0 has saved by then; the others do not know whether that went well.
        if rank == 0:
            _report(interrupted=str(error))
    except MidError as error:
        _fail(rank, str(error), error.status)
    except Exception:  # noqa: BLE001
        _fail(rank, traceback.format_exc(), MidError.status)
    # What is done is done: whatever comes now must not look like a failure.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # None may leave while another is still at work: that would look like a death.
    dist.all_reduce(torch.zeros(1))
    dist.destroy_process_group()


class _Reporter(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _report(level=record.levelno, text=self.format(record))


def _report(**facts: object) -> None:
    # In one piece, as lines of several processes must not mix; a launcher that died
    # does not listen any more.
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()


def _hold_the_rope() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _fail(rank: int, why: str, status: int) -> None:
    _report(rank=rank, failed=why, status=status)
    # At once: a tidy end would wait for the other processes.
    os._exit(1)
