"""Whether the process that left a note is still alive."""

import os
import socket
from dataclasses import dataclass
from typing import Self

import psutil

# The kernel states the moment of its boot in whole seconds.
TOLERANCE_S = 2


@dataclass(frozen=True)
class Process:
    """A process, told from a later one that was given the same number.

    Attributes
    ----------
    host
        Name of its machine.
    pid
        Its number there.
    born
        Seconds from the machine's boot to its start: no clock can shift them.
    slurm
        Id of its SLURM job; empty outside of SLURM.
    """

    host: str
    pid: int
    born: float
    slurm: str = ""

    @classmethod
    def this(cls) -> Self:
        """The process that asks."""
        born = _born(psutil.Process())
        slurm = os.environ.get("SLURM_JOB_ID", "")
        return cls(socket.gethostname(), os.getpid(), round(born, 2), slurm)

    def __str__(self) -> str:
        job = f", SLURM job {self.slurm}" if self.slurm else ""
        return f"{self.host}, process {self.pid}{job}"

    def lives(self) -> bool | None:
        """Whether it is alive; None on another machine, where none can look."""
        if self.host != socket.gethostname():
            return None
        try:
            found = psutil.Process(self.pid)
            if found.status() == psutil.STATUS_ZOMBIE:
                return False
            return abs(_born(found) - self.born) < TOLERANCE_S
        except psutil.NoSuchProcess:
            return False


def _born(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()
