"""How far a run is, read from its files alone: while it goes on, or long after.

Whether a result is out of date is not asked: ``snakemake -n`` says that.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tabulate import tabulate

from mid_config.errors import ConfigError
from mid_config.loading import load_config
from mid_config.plan import Plan
from mid_config.pools import absent_pools
from mid_core.errors import MidError
from mid_core.jobs.every_job import Job, pool_jobs, result_jobs, round_jobs
from mid_core.jobs.log import Attempt, job_name, read_attempt
from mid_core.jobs.recovery import is_locked, owners

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"
DEFAULT_CONFIG = Path("config/config.yaml")
# What a cell of several jobs is called: after the first of these that one of them is.
URGENT = ("failed", "running", "stopped")


@dataclass(frozen=True)
class Look:
    """What was seen of a job: whether its result is there, and its last attempt."""

    done: bool
    attempt: Attempt | None

    @cached_property
    def state(self) -> str:
        """``done``, ``running``, ``waiting``, ``failed`` or ``stopped``."""
        if self.done:
            return "done"
        # A job that finished and whose result is gone is to be done again.
        state = self.attempt.state if self.attempt else "finished"
        return "waiting" if state == "finished" else state


def status(configs: Sequence[Path]) -> tuple[str, bool]:
    """Say how far the run of a config is, in the folder where it runs.

    Parameters
    ----------
    configs
        Config files, later ones over earlier ones.

    Returns
    -------
    The report, and whether nothing has failed.

    Raises
    ------
    MidError
        If the config is wrong.
    """
    plan = read_plan(configs)
    tables = {
        ("images", "list", "pixels"): list(pool_jobs(plan)),
        ("round", "noise", "training", "scores"): list(round_jobs(plan)),
        ("results", ""): list(result_jobs(plan)),
    }
    # Shared jobs are looked at once, so that they are the same everywhere.
    every = {job.result: job for jobs in tables.values() for job in jobs}
    looks = {
        path: Look(path.exists(), read_attempt(job.log)) for path, job in every.items()
    }
    parts = [_table(headers, jobs, looks) for headers, jobs in tables.items()]
    parts += [
        _detail(look.state, look.attempt)
        for state in ("running", "stopped", "failed")
        for look in looks.values()
        if look.state == state and look.attempt
    ]
    states = [look.state for look in looks.values()]
    done = f"{states.count('done')} of {len(states)} done"
    parts.append(f"{plan.dataset}: {done}; {_next(states, configs)}")
    return "\n\n".join(parts), "failed" not in states


def read_plan(configs: Sequence[Path]) -> Plan:
    """Read what has to be made from config files.

    Raises
    ------
    MidError
        If the config is wrong.
    """
    try:
        config = load_config(configs, SCHEMA, {})
        return Plan(config, absent_pools(config))
    except ConfigError as error:
        raise MidError(str(error)) from error


def _table(headers: Sequence[str], jobs: Iterable[Job], looks: dict[Path, Look]) -> str:
    cells: dict[str, dict[str, list[Job]]] = {}
    for job in jobs:
        cells.setdefault(job.row, {}).setdefault(job.column, []).append(job)
    rows = [
        [row, *(_cell(row, columns.get(name, []), looks) for name in headers[1:])]
        for row, columns in cells.items()
    ]
    return tabulate(rows, headers, tablefmt="plain", disable_numparse=True)


def _cell(row: str, jobs: Sequence[Job], looks: dict[Path, Look]) -> str:
    if not jobs:
        return ""
    states = [looks[job.result].state for job in jobs]
    urgent = [state for state in URGENT if state in states]
    done = states.count("done")
    some = f"{done} of {len(jobs)} done" if done else "waiting"
    text = (urgent or ["done" if done == len(jobs) else some])[0]
    owner, own = jobs[0].owner, row.rpartition(" ")[0]
    return f"{text} ({owner}'s)" if owner and owner != own else text


def _detail(state: str, attempt: Attempt) -> str:
    """Say of one job what its log says."""
    lines = [attempt.far] if attempt.far else []
    if state == "failed":
        lines = list(attempt.last_lines)
    elif attempt.end:
        lines.append(attempt.end)
    elif state == "stopped":
        seen = attempt.process and attempt.process.lives() is False
        why = (
            "killed, as it is neither finished nor alive" if seen else "no sign of life"
        )
        lines.append(f"{why}; its log is {_duration(attempt.quiet_s)} old")
    else:
        lines.append(f"last line {_duration(attempt.quiet_s)} ago")
    who = f"{attempt.process}, since {attempt.since}; " if attempt.process else ""
    lines.append(f"{who}log: {attempt.log}")
    return "\n  ".join([f"{state}: {job_name(attempt.log)}", *lines])


def _duration(seconds: float) -> str:
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def _next(states: Sequence[str], configs: Sequence[Path]) -> str:
    """Say what to type."""
    if states.count("done") == len(states):
        return "`snakemake -n` says whether any of it is out of date"
    locked = is_locked(Path())
    for run in owners(Path()):
        alive = run.process.lives()
        if alive or (alive is None and locked):
            return f"a run is at work ({run.process}, since {run.since})"
    command = ["snakemake", "--cores", "all"]
    if list(configs) != [DEFAULT_CONFIG]:
        command += ["--configfile", *map(str, configs)]
    step = "mid recover" if locked else shlex.join(command)
    if "running" in states:
        return f"jobs of a run that is gone are at work; after them: {step}"
    return f"mend what failed, then: {step}" if "failed" in states else f"next: {step}"
