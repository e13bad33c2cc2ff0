"""The workflow under ``mid run``: Snakemake, and its progress in words."""

import os
import subprocess
import sys
import time
from pathlib import Path

from mid_core.commands.run_config import TRIALS, planned_steps
from mid_core.commands.run_progress import Work, progress, works
from mid_core.commands.run_request import BASE, CONFIG, Request
from mid_core.errors import MidError
from mid_core.jobs.recovery import is_locked, recover
from mid_core.runtime.shipped import profile, shipped, the_snakefile

POLL_S = 2.0


def run_snakemake(request: Request) -> None:
    """Run the workflow in the folder of the run, and tell how far it is.

    Raises
    ------
    MidError
        If the run fails, or another one is at work there.
    """
    configs = shipped() / BASE, request.folder.absolute() / CONFIG
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(the_snakefile())]
    command += ["--directory", str(request.folder)]
    command += ["--cores", str(request.cores or os.cpu_count())]
    command += ["--configfile", *map(str, configs)]
    command += ["--profile", profile(request.profile)] if request.profile else []
    command += ["--dry-run"] if request.dry_run else []
    if is_locked(request.folder):
        # Who still works there is named, and left alone.
        recover(request.folder)
        print("an earlier call was killed; its lock is removed")
    said = request.folder / "run.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [*command, "--", "all", "report"], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            steps = planned_steps(request)
            _follow(process, works(request.results / "logs", steps, TRIALS))
        except BaseException:
            # Snakemake lets its jobs save what they have.
            process.terminate()
            process.wait()
            raise
    if request.dry_run and not process.returncode:
        print(_jobs_in(said.read_text()))
    if process.returncode:
        raise MidError(
            f"the run failed; what was finished is kept, and the same command goes on. "
            f"Why is in {said}; its last words:\n{_last_words(said)}"
        )


def _jobs_in(said: str) -> str:
    """The table of jobs that a dry run prints."""
    if "Job stats:" not in said:
        return "nothing is left to train"
    table = said[said.index("Job stats:") :]
    return table[: table.index("\n\n")]


def _follow(process: subprocess.Popen, planned: list[Work]) -> None:
    """Print the progress of the trainings, as their logs tell it."""
    shown = ""
    while process.poll() is None:
        time.sleep(POLL_S)
        line = progress(planned)
        if line and line != shown:
            print(line, flush=True)
            shown = line


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").strip().splitlines()[-12:])
