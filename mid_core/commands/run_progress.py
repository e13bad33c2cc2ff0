"""How far ``mid run`` is: read from the logs of its trainings, and said in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mid_config.last_run import duration

STEP = re.compile(r" INFO (.*): step (\d+) of \d+, .*?([\d.e+-]+) steps/s")


@dataclass(frozen=True)
class Work:
    """Trainings that write one log.

    Attributes
    ----------
    title
        What they are, for a person.
    log
        Where they tell their steps, once they have begun.
    steps
        How many they take together.
    """

    title: str
    log: Path
    steps: int


def works(logs: Path, steps: dict[str, int], trials: int) -> list[Work]:
    """List the trainings of a run, in order.

    Parameters
    ----------
    logs
        The run's folder of logs.
    steps
        Of the ``first`` and the ``taught`` training, and of a ``trial``.
    trials
        How many there are.
    """
    hidden = "trials of how many pixels to hide"
    return [
        Work(hidden, logs / "choose_ratio/mid_0.log", trials * steps["trial"]),
        Work("first training", logs / "train_round/mid_0.log", steps["first"]),
        Work("second training", logs / "train_round/mid_1.log", steps["taught"]),
    ]


def progress(planned: Sequence[Work]) -> str:
    """Say which training is under way, how far it is, and how long all of them take.

    Parameters
    ----------
    planned
        As ``works`` returns it. A step of each takes as long.

    Returns
    -------
    A line; empty before the first step is told.
    """
    told = [_told(work.log) for work in planned]
    begun = [i for i, (steps, _) in enumerate(told) if steps]
    if not begun:
        return ""
    now, (steps, rate) = begun[-1], told[begun[-1]]
    work, left = planned[now], sum(one.steps for one in planned[now:]) - steps
    said = f"{now + 1} of {len(planned)}, {work.title}: step {steps} of {work.steps}"
    return f"{said}, about {duration(left / rate)} of training left" if rate else said


def _told(log: Path) -> tuple[int, float]:
    """Return the steps that a log tells of, all trainings together, and the last rate."""
    found = STEP.findall(log.read_text(errors="replace")) if log.is_file() else []
    last = {title: int(step) for title, step, _ in found}
    return sum(last.values()), float(found[-1][2]) if found else 0.0
