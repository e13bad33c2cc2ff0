"""The whole of `mid plan`: from config files to what a run takes on so many GPUs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from mid_config.last_run import duration
from mid_config.plan import Plan
from mid_core.errors import MidError
from mid_core.jobs.dag import Job, read_jobs
from mid_core.jobs.log import job_name
from mid_core.jobs.status import read_plan
from mid_core.planning.disk_space import SMALL_FILES, footprint
from mid_core.planning.forecast import Pools, forecast
from mid_core.planning.job_times import JobTime, JobTimes

Jobs = Mapping[str, Job]
HEADERS = ("rule", "jobs", "time", "GPU-hours", "memory", "disk", "files", "time from")


def describe_plan(
    configs: Sequence[Path],
    targets: Sequence[str],
    counts: Sequence[int],
    rate: float | None,
    anew: bool,
) -> str:
    """Say what a run takes: each rule, all of them, and on so many GPUs.

    Parameters
    ----------
    configs
        Config files, later ones over earlier ones.
    targets
        Rules or files; none: the default target.
    counts
        Numbers of GPUs for which to tell the time.
    rate, anew
        As in ``JobTimes``.

    Raises
    ------
    MidError
        If the config or a target is wrong, the size of a pool cannot be known, or a job
        alone takes more GPUs than there are.
    """
    given = read_plan(configs)
    # As if all data sets were here, as they will be.
    plan, jobs = Plan(given.config), read_jobs(configs, targets, every_pool=True)
    pools = forecast(plan, given.absent)
    known = JobTimes(plan, pools, rate, anew)
    times = {name: known.time(job) for name, job in jobs.items()}
    seconds = {name: one.seconds for name, one in times.items()}
    to_do = [seconds[name] for name, job in jobs.items() if job.to_do]
    title = f"plan of {plan.dataset}: {len(jobs)} jobs, {len(to_do)} of them to do: "
    title += f"{duration(sum(to_do))} of computing\n"
    title += f"trials: on this machine ({known.device}), alone on it"
    if rate:
        title += f"\ncomputed, not measured: GPUs that sustain {rate / 1e12:g} TFLOP/s"
    elif known.device.type == "cpu":
        title += "; a GPU below stands for such a machine"
    if given.absent:
        title += f"\nnot here, counted as published: {', '.join(given.absent)}"
    blocks = [title, rules_table(plan, pools, jobs, times), _chain(jobs, seconds)]
    return "\n\n".join([*blocks, gpu_times(jobs, seconds, counts)])


def rules_table(
    plan: Plan, pools: Pools, jobs: Jobs, times: Mapping[str, JobTime]
) -> str:
    """Lay out what the jobs of each rule take, and all of them.

    Parameters
    ----------
    plan, pools
        What has to be made, and what is known of each pool.
    jobs, times
        The jobs and their times, by name.
    """
    left, by_rule = footprint(plan, pools, plan.rounds), {}
    for name, job in jobs.items():
        by_rule.setdefault(job.rule, []).append(name)
    rows = []
    for rule, names in [*by_rule.items(), ("all", list(jobs))]:
        spent = sum(times[name].seconds for name in names)
        on_gpu = sum(times[name].seconds * jobs[name].gpus for name in names) / 3600
        # The most of one job, as its last run had it, or else as it asks for.
        seen = max(times[name].memory_mb for name in names) / 1e3
        asked = max(jobs[name].memory_mb for name in names) / 1e3
        kept = [left.get(name, (0, SMALL_FILES)) for name in names]
        disk, files = (sum(part) for part in zip(*kept, strict=True))
        sources = Counter(times[name].source for name in names).items()
        cells = [rule, len(names), duration(spent), f"{on_gpu:.3g}" if on_gpu else ""]
        cells.append(f"{seen:.1f} GB" if seen else f"{asked:g} GB asked")
        cells += [f"{disk / 1e9:.2f} GB" if disk else "", files]
        rows.append([*cells, ", ".join(f"{source} ({n})" for source, n in sources)])
    return tabulate(rows, HEADERS, tablefmt="plain", disable_numparse=True)


def longest_chain(jobs: Jobs, seconds: Mapping[str, float]) -> list[str]:
    """Return the jobs, in order, that no number of GPUs makes faster.

    Parameters
    ----------
    jobs
        By name, each after those for which it waits.
    seconds
        That each takes.
    """
    ends: dict[str, float] = {}
    before = {}
    for name, job in jobs.items():
        before[name] = max(job.needs, key=ends.get, default=None)
        ends[name] = seconds[name] + ends.get(before[name], 0)
    chain = [max(ends, key=ends.get)]
    while before[chain[-1]]:
        chain.append(before[chain[-1]])
    return chain[::-1]


def _chain(jobs: Jobs, seconds: Mapping[str, float]) -> str:
    chain = longest_chain(jobs, seconds)
    rows = [
        ["", job_name(Path(jobs[name].log)), duration(seconds[name])] for name in chain
    ]
    length = duration(sum(seconds[name] for name in chain))
    title = f"longest chain of jobs, {length}: more GPUs do not shorten it"
    return f"{title}\n{tabulate(rows, tablefmt='plain')}"


def gpu_times(jobs: Jobs, seconds: Mapping[str, float], counts: Sequence[int]) -> str:
    """Say the time that no order of the jobs can beat: of the chain, or of all GPUs.

    Parameters
    ----------
    jobs, seconds
        As in ``longest_chain``.
    counts
        Numbers of GPUs.

    Raises
    ------
    MidError
        If one job alone needs more GPUs.
    """
    chain = sum(seconds[name] for name in longest_chain(jobs, seconds))
    work = sum(seconds[name] * job.gpus for name, job in jobs.items())
    most, rows = max(job.gpus for job in jobs.values()), []
    for count in counts:
        if most > count:
            raise MidError(f"a job takes {most} GPUs: plan with as many, not {count}")
        limit = "the longest chain" if chain >= work / count else "the number of GPUs"
        rows.append([count, duration(max(chain, work / count)), limit])
    headers = ("GPUs", "time, at least", "limited by")
    return tabulate(rows, headers, tablefmt="plain", disable_numparse=True)
