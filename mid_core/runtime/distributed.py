"""What the processes of one training share, and how they agree.

Each draws its shard of every batch, and torch takes the mean of their gradients. Rank 0
keeps the files. After every step they agree whether to save or to stop, by a message of
some bytes between their CPUs.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mid_core.runtime.gpus import too_few

# A process that hangs for so long ends the job.
TIMEOUT = timedelta(minutes=10)


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of one training; where there is one, nothing is exchanged.

    Attributes
    ----------
    rank, size
        Which process this is, from 0, and how many there are.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def join(
        cls, store: dist.Store, rank: int, size: int, device: torch.device
    ) -> Self:
        """Meet the other processes at a store.

        Raises
        ------
        MidError
            If processes cannot share this kind of device.
        """
        if device.type == "mps":
            raise too_few("mps")
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        ranks = {"rank": rank, "world_size": size}
        dist.init_process_group(backend, store=store, timeout=TIMEOUT, **ranks)
        return cls(rank, size)

    def shard(self, batch_size: int) -> slice:
        """Return which crops of a batch this process draws."""
        count = batch_size // self.size
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


SINGLE_PROCESS = ProcessGroup()


def no_sync(network: nn.Module) -> AbstractContextManager:
    """Return the context in which gradients stay with their process."""
    if isinstance(network, DistributedDataParallel):
        return network.no_sync()
    return nullcontext()
