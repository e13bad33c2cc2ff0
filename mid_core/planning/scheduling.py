"""How long a graph of jobs takes: on as many GPUs as one likes, and on so many."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from mid_core.errors import MidError


@dataclass(frozen=True)
class Task:
    """A job: the seconds that it takes, the GPUs that it holds, what it waits for."""

    seconds: float
    gpus: int
    needs: frozenset[str]


def longest_chain(tasks: Mapping[str, Task]) -> list[str]:
    """Return the jobs, in order, that no number of GPUs makes faster."""
    rests = _rests(tasks)
    chain, rest = [], set(tasks)
    while rest:
        chain.append(max(rest, key=rests.get))
        rest = {name for name, task in tasks.items() if chain[-1] in task.needs}
    return chain


def _rests(tasks: Mapping[str, Task]) -> dict[str, float]:
    """Seconds from the start of each job to the end of all that wait for it."""
    after: dict[str, list[str]] = {name: [] for name in tasks}
    for name, task in tasks.items():
        for before in task.needs:
            after[before].append(name)

    @cache
    def rest(name: str) -> float:
        return tasks[name].seconds + max(map(rest, after[name]), default=0.0)

    return {name: rest(name) for name in tasks}


def time_taken(tasks: Mapping[str, Task], gpus: int) -> float:
    """Seconds until all is done, by list scheduling.

    Whenever GPUs are free, of the jobs that may start the one with the longest way to
    the end does. Jobs without GPU never wait for a place.

    Parameters
    ----------
    tasks
        The jobs, by name.
    gpus
        How many there are.

    Raises
    ------
    MidError
        If one job alone needs more GPUs.
    """
    most = max(task.gpus for task in tasks.values())
    if most > gpus:
        raise MidError(f"a training takes {most} GPUs: plan with as many, not {gpus}")
    rests = _rests(tasks)
    waits = {name: len(task.needs) for name, task in tasks.items()}
    ready = [name for name, count in waits.items() if not count]
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        for name in sorted(ready, key=rests.get, reverse=True):
            if tasks[name].gpus <= gpus:
                gpus -= tasks[name].gpus
                ready.remove(name)
                heapq.heappush(running, (now + tasks[name].seconds, name))
        now, ended = heapq.heappop(running)
        gpus += tasks[ended].gpus
        for name, task in tasks.items():
            if ended in task.needs:
                waits[name] -= 1
                if not waits[name]:
                    ready.append(name)
    return now
