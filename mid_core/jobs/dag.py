"""The jobs of a run, as Snakemake itself lists them for a config and its targets."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory

from mid_core.errors import MidError
from mid_core.runtime.shipped import the_snakefile


@dataclass(frozen=True)
class Job:
    """One job of Snakemake's graph. Its name is its first output.

    Attributes
    ----------
    rule, wildcards
        The rule that does it, and the values of the rule's wildcards.
    outputs, inputs
        Files that it declares.
    needs
        Names of the jobs for which it waits.
    log, benchmark
        Where it says how it goes, and where Snakemake notes what it took.
    gpus, memory_mb, minutes, threads
        What it asks for on its first attempt; threads at most those of this machine.
    to_do
        Whether Snakemake would run it now.
    """

    rule: str
    wildcards: Mapping[str, str]
    outputs: Sequence[str]
    inputs: Sequence[str]
    needs: Sequence[str]
    log: str
    benchmark: str
    gpus: int
    memory_mb: int
    minutes: int
    threads: int
    to_do: bool


def read_jobs(
    configs: Sequence[Path], targets: Sequence[str] = (), every_pool: bool = False
) -> dict[str, Job]:
    """List the jobs of a run in this folder, finished ones too, by their first output.

    Snakemake builds its graph in a process of its own, which takes one to three
    seconds. It runs nothing, waits for no lock, and writes no file in the folder.

    Parameters
    ----------
    configs
        Config files, later ones over earlier ones.
    targets
        Rules or files; none: the default target.
    every_pool
        As if the data sets of tests and submissions that are not here were here.

    Returns
    -------
    The jobs, each after those for which it waits.

    Raises
    ------
    MidError
        If Snakemake is not installed, or the config or a target is refused.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "jobs.json"
        # `--dag` only draws the graph, and a dry run keeps no log.
        command = [sys.executable, "-m", "snakemake", "--dry-run", "--dag"]
        command += ["--snakefile", str(the_snakefile())]
        command += ["--cores", "all", "--quiet", "all"]
        command += ["--configfile", *map(str, configs), "--", *targets]
        environment = os.environ | {"MID_JOBS_FILE": str(file)}
        environment |= {"MID_EVERY_POOL": "1"} if every_pool else {}
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if run.returncode or not file.is_file():
            why = (run.stdout or run.stderr).strip()
            raise MidError(f"Snakemake cannot list the jobs:\n{why}")
        found = [Job(**one) for one in json.loads(file.read_text())]
    jobs = {job.outputs[0]: job for job in found}
    order = TopologicalSorter({name: job.needs for name, job in jobs.items()})
    return {name: jobs[name] for name in order.static_order()}
