"""Who works in a folder, and how its lock is cleared when they are gone.

Snakemake locks the folder in which it runs, and a run that is killed leaves the lock. The
workflow notes who it is in ``.snakemake/mid_owners``, a file for each run.
"""

import json
import os
import shlex
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from mid_core.errors import MidError
from mid_core.jobs.log import Attempt, job_name, read_attempt
from mid_core.runtime import slurm
from mid_core.runtime.liveness import Process

OWNERS = ".snakemake/mid_owners/*.json"


@dataclass(frozen=True)
class Owner:
    """A run: its process, when it started, and the command that started it."""

    process: Process
    since: str
    command: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what a run noted of itself."""
        note = json.loads(path.read_text())
        return cls(Process(**note["process"]), note["since"], note["command"])

    def __str__(self) -> str:
        return f"`{self.command}` ({self.process}, since {self.since})"


def is_locked(directory: Path) -> bool:
    """Whether Snakemake's lock lies in the folder."""
    return any(directory.glob(".snakemake/locks/*.lock"))


def owners(directory: Path) -> list[Owner]:
    """The runs that noted themselves in a folder and did not end there in order."""
    return [Owner.read(path) for path in sorted(directory.glob(OWNERS))]


def recover(directory: Path, force: bool = False) -> str:
    """Clear Snakemake's lock if nobody works under it.

    Parameters
    ----------
    directory
        Where Snakemake was run.
    force
        Clear it even if somebody on another machine may be at work.

    Returns
    -------
    What was done, and the command to go on with.

    Raises
    ------
    MidError
        If somebody is at work there, or may be on another machine.
    """
    directory = directory.resolve()
    if not is_locked(directory):
        return f"There is no lock in {directory}: nothing to recover."
    known = owners(directory)
    if here := _here(directory, known):
        raise MidError(
            f"the run in {directory} is at work:\n{_indented(here)}\nWait for it, or "
            "end it with `kill PROCESS`; then ask again"
        )
    elsewhere = _elsewhere(directory, known)
    if elsewhere and not force:
        raise MidError(
            f"the run in {directory} may be at work on another machine, which cannot "
            f"be seen from here:\n{_indented(elsewhere)}\nLook there (`squeue` lists "
            "SLURM jobs); if all are gone, clear the lock with `mid recover --force`"
        )
    _unlock(directory)
    for path in directory.glob(OWNERS):
        path.unlink()
    commands = dict.fromkeys(owner.command for owner in known)
    again = "\n".join(f"  {one}" for one in commands) or "  the command as before"
    return f"The lock in {directory} is cleared. Go on with\n{again}"


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _here(directory: Path, known: list[Owner]) -> list[str]:
    """Who of a run is alive on this machine: itself, and jobs that it left behind."""
    runs = {o.process.pid: str(o) for o in known if o.process.lives()}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            named = any(Path(word).name == "snakemake" for word in words)
            named = named or any("/.snakemake/scripts/" in word for word in words)
            if named and Path(process.cwd()) == directory:
                text = f"process {process.pid}: {shlex.join(words)}"
                runs.setdefault(process.pid, text)
    return list(runs.values())


def _elsewhere(directory: Path, known: list[Owner]) -> list[str]:
    """Who may be alive on other machines: runs, and jobs that wrote of late."""
    runs = [str(owner) for owner in known if owner.process.lives() is None]
    for log in sorted(directory.glob("results/*/logs/**/*.log")):
        job = read_attempt(log)
        far = job and job.process and job.process.lives() is None
        if far and _runs_there(job):
            runs.append(f"{job_name(log)} ({job.process}, since {job.since})")
    return runs


def _runs_there(job: Attempt) -> bool:
    """Whether a job on another machine runs: SLURM knows, or else its log tells."""
    queued = slurm.is_queued(job.process.slurm) if job.process.slurm else None
    return job.state == "running" and queued is not False


def _unlock(directory: Path) -> None:
    """Let Snakemake remove its lock, under a workflow without rules.

    The lock is the folder's; the run's own Snakefile would ask for its config.
    """
    command = [sys.executable, "-m", "snakemake", "--unlock"]
    command += ["--snakefile", os.devnull, "--directory", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or is_locked(directory):
        raise MidError(
            f"Snakemake cannot remove its lock in {directory}: "
            f"{done.stderr.strip()}; see to the rights of {directory}/.snakemake/locks"
        )
