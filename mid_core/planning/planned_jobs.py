"""What is expected of each job of a run: from its last run, or from an estimate."""

import json
from collections.abc import Container
from dataclasses import dataclass

import torch

from mid_config.last_run import Usage, usage
from mid_config.plan import Plan
from mid_core.jobs.every_job import Job, every_job
from mid_core.planning.estimate import Estimate
from mid_core.planning.footprint import footprint
from mid_core.planning.forecast import forecast
from mid_core.planning.graph import needs
from mid_core.planning.scheduling import Task

NETWORK_RULES = ("train_round", "extract_noise", "evaluate", "denoise_pool")
LAST = "last run"


@dataclass(frozen=True)
class Planned:
    """A job, and what is expected of it.

    Attributes
    ----------
    job, task
        The job; its time, its GPUs, and what it waits for.
    source
        Where its time is from.
    memory_mb
        The most that it held in its last run; 0: not known.
    disk, files
        Bytes and files that it leaves, at most.
    """

    job: Job
    task: Task
    source: str
    memory_mb: float
    disk: float
    files: int


def planned_jobs(
    plan: Plan,
    absent: Container[str],
    device: torch.device,
    rate: float | None = None,
    anew: bool = False,
) -> dict[str, Planned]:
    """Say of each job what is expected of it, by its result.

    Parameters
    ----------
    plan
        What has to be made.
    absent
        Pools whose images are not here: what is published of them counts.
    device
        Where networks are tried.
    rate
        Operations a second that a GPU which is not here sustains in networks; None: the
        last run's times count, and where there are none, a trial.
    anew
        Whether to pass over the last run's times.

    Raises
    ------
    MidError
        If the images of a pool are not sound, or how many there are cannot be known.
    """
    jobs, pools = every_job(plan), forecast(plan, absent)
    last = {} if anew else _last_runs(plan, jobs, bool(rate))
    complete = last.keys() == jobs.keys()
    estimates = {} if complete else Estimate(plan, pools, device, rate).seconds()
    edges, left, places = needs(plan), footprint(plan, pools), _places(plan)
    planned = {}
    for result, job in jobs.items():
        known, source = last.get(result), "trial"
        if known:
            source = LAST
        elif rate and job.rule in NETWORK_RULES:
            source = "computed"
        seconds = known.seconds if known else estimates[result]
        task = Task(seconds, places.get(result, 0), frozenset(edges[result]))
        memory = known.memory_mb if known else 0
        planned[result] = Planned(job, task, source, memory, *left[result])
    return planned


def _last_runs(plan: Plan, jobs: dict[str, Job], elsewhere: bool) -> dict[str, Usage]:
    """Read what jobs took; not of networks if they will run on another machine."""
    trains = {
        plan.model(variant, k): one.train
        for variant, rounds in plan.rounds.items()
        for k, one in enumerate(rounds)
    }
    known = {}
    for result, job in jobs.items():
        card = job.result if result in trains else None
        if card and not _as_planned(card, trains[result]):
            continue
        if elsewhere and job.rule in NETWORK_RULES:
            continue
        if last := usage(job.benchmark, card):
            known[result] = last
    return known


def _as_planned(card, train: dict) -> bool:
    """Whether a training had the network and the number of steps that it will have."""
    if not card.is_file():
        return True
    made = json.loads(card.read_text())
    return all(made[key] == train[key] for key in ("network", "training"))


def _places(plan: Plan) -> dict[str, int]:
    """GPUs that jobs hold."""
    banks = {
        plan.bank(variant, k): plan.extraction_gpus(variant, k) if k else 1
        for variant, k in plan.owned("bank")
        if plan.maker(variant, k)
    }
    return banks | {
        plan.model(variant, k): plan.gpus(variant, k)
        for variant, k in plan.owned("model")
    }
