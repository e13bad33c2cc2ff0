"""The whole of `mid plan`: from config files to what a run takes on so many GPUs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from tabulate import tabulate

from mid_config.last_run import duration
from mid_config.plan import Plan
from mid_config.requests import memory_mb
from mid_core.jobs.log import job_name
from mid_core.jobs.status import read_plan
from mid_core.planning.planned_jobs import Planned, planned_jobs
from mid_core.planning.scheduling import Task, longest_chain, time_taken
from mid_core.runtime.devices import pick_device

Jobs = Mapping[str, Planned]
HEADERS = ("rule", "jobs", "time", "GPU-hours", "memory", "disk", "files", "time from")


def describe_plan(
    configs: Sequence[Path], counts: Sequence[int], rate: float | None, anew: bool
) -> str:
    """Say what a run takes: each rule, all of them, and on so many GPUs.

    Parameters
    ----------
    configs
        Config files, later ones over earlier ones.
    counts
        Numbers of GPUs for which to tell the time.
    rate, anew
        As in ``planned_jobs``.

    Raises
    ------
    MidError
        If the config is wrong, the size of a pool cannot be known, or a training alone
        takes more GPUs than there are.
    """
    given = read_plan(configs)
    # As if all data sets were here, as they will be.
    plan = Plan(given.config)
    torch.set_num_threads(plan.config["runtime"]["threads"])
    device = pick_device(plan.config["runtime"]["device"], needed=False)
    jobs = planned_jobs(plan, given.absent, device, rate, anew)
    tasks = {result: one.task for result, one in jobs.items()}
    title = f"plan of {plan.dataset}: {len(jobs)} jobs\n"
    title += f"trials: on this machine ({device}), alone on it"
    if device.type == "cpu" and not rate:
        title += "; a GPU below stands for such a machine"
    if rate:
        title += f"\ncomputed, not measured: GPUs that sustain {rate / 1e12:g} TFLOP/s"
    if given.absent:
        names = ", ".join(given.absent)
        title += f"\nnot here, counted as published: {names}"
    blocks = [title, _rules(plan, jobs), _chain(jobs, tasks), _times(tasks, counts)]
    return "\n\n".join(blocks)


def _rules(plan: Plan, jobs: Jobs) -> str:
    by_rule: dict[str, list[Planned]] = {}
    for one in jobs.values():
        by_rule.setdefault(one.job.rule, []).append(one)
    rows = []
    for rule, group in by_rule.items():
        processes = max(1, *(one.task.gpus for one in group))
        rows.append([rule, *_row(group, processes * memory_mb(rule, plan.config))])
    total = _row(list(jobs.values()), 0)
    rows.append(["all", *total[:3], "", *total[4:6], ""])
    return tabulate(rows, HEADERS, tablefmt="plain", disable_numparse=True)


def _row(group: Sequence[Planned], asked_mb: float) -> list[str]:
    """Sum up jobs; their memory is the most of one of them."""
    spent = sum(one.task.seconds for one in group)
    on_gpu = sum(one.task.seconds * one.task.gpus for one in group) / 3600
    seen_mb = max(one.memory_mb for one in group)
    memory = f"{seen_mb / 1e3:.1f} GB" if seen_mb else f"{asked_mb / 1e3:g} GB asked"
    sources = Counter(one.source for one in group)
    source = ", ".join(
        name if len(sources) == 1 else f"{count} {name}"
        for name, count in sources.items()
    )
    disk = sum(one.disk for one in group) / 1e9
    return [
        *(str(len(group)), duration(spent), f"{on_gpu:.3g}" if on_gpu else "", memory),
        *(f"{disk:.2f} GB" if disk else "", str(sum(one.files for one in group))),
        source,
    ]


def _chain(jobs: Jobs, tasks: Mapping[str, Task]) -> str:
    chain = longest_chain(tasks)
    length = duration(sum(tasks[result].seconds for result in chain))
    rows = [
        ["", job_name(jobs[result].job.log), duration(tasks[result].seconds)]
        for result in chain
    ]
    title = f"longest chain of jobs, {length}: more GPUs do not shorten it"
    return f"{title}\n{tabulate(rows, tablefmt='plain')}"


def _times(tasks: Mapping[str, Task], counts: Sequence[int]) -> str:
    chain = sum(tasks[result].seconds for result in longest_chain(tasks))
    rows = []
    for count in counts:
        taken = time_taken(tasks, count)
        limit = "the longest chain" if taken < 1.01 * chain else "the number of GPUs"
        rows.append([str(count), duration(taken), limit])
    headers = ("GPUs", "time", "limited by")
    return tabulate(rows, headers, tablefmt="plain", disable_numparse=True)
