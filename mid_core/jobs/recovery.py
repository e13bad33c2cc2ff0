"""Who works in a folder, and how its lock is cleared when they are gone.

Snakemake locks the folder in which it runs, and a run that is killed leaves the lock. The
run keeps a log like its jobs' (``workflow/rules/owner.smk``).
"""

import shutil
from pathlib import Path

from mid_core.errors import MidError
from mid_core.jobs.log import read_attempt

LOCKS, RUN_LOG = ".snakemake/locks", ".snakemake/mid_run.log"


def is_locked(directory: Path) -> bool:
    """Whether Snakemake's lock lies in the folder."""
    return any(directory.glob(f"{LOCKS}/*.lock"))


def at_work(directory: Path, state: str = "running") -> list[str]:
    """Who works in a folder, by the logs of the run and of its jobs."""
    logs = [directory / RUN_LOG, *sorted(directory.glob("results/*/logs/**/*.log"))]
    found = [one for log in logs if (one := read_attempt(log)) and one.state == state]
    return [f"{one.task} ({one.start})" for one in found]


def recover(directory: Path, force: bool = False) -> str:
    """Clear Snakemake's lock if nobody works under it.

    Parameters
    ----------
    directory
        Where Snakemake was run.
    force
        Clear it even if somebody may be at work on another machine.

    Returns
    -------
    What was done, and the command to go on with.

    Raises
    ------
    MidError
        If somebody is at work there, or may be.
    """
    directory = directory.resolve()
    if not is_locked(directory):
        return f"There is no lock in {directory}: nothing to recover."
    if workers := at_work(directory):
        raise MidError(
            "\n  ".join([f"in {directory} is at work:", *workers])
            + "\nWait for it, or end it by `kill` or `scancel`; then ask again"
        )
    if not force and (unsure := at_work(directory, "out of sight")):
        raise MidError(
            "\n  ".join([f"in {directory} may be at work on another machine:", *unsure])
            + "\nLook there; if it is gone, clear the lock with `mid recover --force`"
        )
    # All that `snakemake --unlock` does, which would also read the run's config.
    shutil.rmtree(directory / LOCKS)
    run = read_attempt(directory / RUN_LOG)
    command = (run and run.task) or "the command as before"
    return f"The lock in {directory} is cleared. Go on with\n  {command}"
