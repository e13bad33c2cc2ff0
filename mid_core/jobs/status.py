"""How far a run is: Snakemake's graph of its jobs, beside the logs of the jobs."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from mid_config.errors import ConfigError
from mid_config.last_run import duration
from mid_config.loading import load_config
from mid_config.plan import Plan
from mid_config.pools import absent_pools
from mid_core.errors import MidError
from mid_core.jobs.dag import Job, read_jobs
from mid_core.jobs.log import Attempt, job_name, read_attempt
from mid_core.jobs.recovery import at_work, is_locked
from mid_core.runtime.shipped import snakemake_command

DEFAULT_CONFIG = Path("config/config.yaml")
# In the order in which they are told of.
DETAILED = ("running", "out of sight", "interrupted", "killed", "failed")
STATES = (*DETAILED, "out of date")


def status(configs: Sequence[Path], targets: Sequence[str] = ()) -> tuple[str, bool]:
    """Say how far a run is, in the folder where it runs; it may be at work.

    Parameters
    ----------
    configs
        Config files, later ones over earlier ones.
    targets
        Rules or files; none: the default target.

    Returns
    -------
    The report, and whether nothing has failed.

    Raises
    ------
    MidError
        If the config or a target is wrong.
    """
    plan, jobs = read_plan(configs), read_jobs(configs, targets)
    attempts = {name: read_attempt(Path(job.log)) for name, job in jobs.items()}
    states = {name: _state(job, attempts[name]) for name, job in jobs.items()}
    parts = _tables(jobs, states)
    parts += [
        _detail(attempts[name])
        for one in DETAILED
        for name, state in states.items()
        if state == one
    ]
    counts = Counter(states.values())
    old = counts["out of date"]
    done = f"{counts['done']} of {len(jobs)} done{f', {old} out of date' * bool(old)}"
    parts.append(f"{plan.dataset}: {done}; {_next(counts, configs, targets)}")
    return "\n\n".join(parts), not counts["failed"]


def read_plan(configs: Sequence[Path]) -> Plan:
    """Read what has to be made from config files.

    Raises
    ------
    MidError
        If the config is wrong.
    """
    try:
        config = load_config(configs, {})
        return Plan(config, absent_pools(config))
    except ConfigError as error:
        raise MidError(str(error)) from error


def _state(job: Job, attempt: Attempt | None) -> str:
    if not job.to_do:
        return "done"
    if attempt and attempt.state in DETAILED:
        return attempt.state
    made = all(Path(path).exists() for path in job.outputs)
    return "out of date" if made else "waiting"


def _tables(jobs: Mapping[str, Job], states: Mapping[str, str]) -> list[str]:
    """Lay out the states: of the rounds, a row each, and of the other jobs by rule."""
    rounds, others = {}, {}
    for name, job in jobs.items():
        table, row, column = others, job.rule, "jobs"
        if "k" in job.wildcards:
            table, row = rounds, "{variant} {k}".format(**job.wildcards)
            column = job.rule
        table.setdefault(row, {}).setdefault(column, []).append(states[name])
    return [_table("rule", others), _table("round", dict(sorted(rounds.items())))]


def _table(title: str, rows: Mapping[str, Mapping[str, list[str]]]) -> str:
    # The columns of the longest row come first: a whole round's, in the order of work.
    longest_first = sorted(rows.values(), key=len, reverse=True)
    columns = list(dict.fromkeys(column for row in longest_first for column in row))
    cells = [
        [name, *(_cell(row.get(column, [])) for column in columns)]
        for name, row in rows.items()
    ]
    return tabulate(cells, [title, *columns], tablefmt="plain", disable_numparse=True)


def _cell(states: Sequence[str]) -> str:
    """Say the states of a few jobs in one cell: ``2 of 3 done, 1 failed``."""
    count = Counter(states)
    if len(count) < 2:
        return f"{states[0]} ({len(states)})" if len(states) > 1 else "".join(states)
    others = [f"{count[state]} {state}" for state in STATES if state in count]
    return ", ".join([f"{count['done']} of {len(states)} done", *others])


def _detail(attempt: Attempt) -> str:
    """Say of one job what its log says."""
    age, log = duration(attempt.quiet_s), attempt.log
    where = [f"{attempt.start}; last line {age} ago; log: {log}".removeprefix("; ")]
    title = f"{attempt.state}: {job_name(log)}"
    return "\n  ".join([title, *attempt.lines, *where])


def _next(
    counts: Mapping[str, int], configs: Sequence[Path], targets: Sequence[str]
) -> str:
    """Say what to type."""
    if counts["done"] == sum(counts.values()):
        return "nothing to do"
    locked = is_locked(Path())
    if locked and (workers := at_work(Path())):
        return f"at work: {workers[0]}"
    command = [*snakemake_command(), "--cores", "all"]
    if list(configs) != [DEFAULT_CONFIG]:
        command += ["--configfile", *map(str, configs)]
    command += ["--", *targets] if targets else []
    step = "mid recover" if locked else shlex.join(command)
    if counts["running"]:
        return f"jobs of a run that is gone are at work; after them: {step}"
    return f"mend what failed, then: {step}" if counts["failed"] else f"next: {step}"
