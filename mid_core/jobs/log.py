"""What the log of a job says of the job: who does it, how far it is, how it ended.

``results/<dataset>/logs/<rule>/<job>.log`` holds the last attempt, as Snakemake deletes
it when the next one starts; ``<job>.attempts.txt`` holds all attempts of a job that did
not come through at once.
"""

import fcntl
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from mid_core.runtime import slurm

LINE = "%(asctime)s %(levelname)s %(message)s"
TAIL_BYTES, ERROR_LINES = 16_384, 8
STAMP = re.compile(r"^[\d-]+ [\d:,]+ (?P<level>[A-Z]+) ")
STARTED = re.compile(
    r"(?P<since>\S+ \S+),\d+ INFO started: (?P<task>.+) on (?P<who>(?P<host>\S+), "
    r"process \d+(?:, SLURM job (?P<slurm>\S+))?)"
)
ENDED = re.compile(r"\S+ \S+ INFO (finished|failed|interrupted)(: .*)?")


def job_name(log: Path) -> str:
    """A job's name after its log: ``train_round/mid_0``."""
    folders = log.with_suffix("").parts
    inner = folders[folders.index("logs") + 1 :] if "logs" in folders else ()
    return "/".join(inner) or log.stem


def attempts_path(log: Path) -> Path:
    """Where all attempts of this log's job are kept."""
    return log.with_suffix(".attempts.txt")


@dataclass(frozen=True)
class Attempt:
    """The last attempt of a job, as its log has it.

    Attributes
    ----------
    log
        The log file.
    state
        ``finished``, ``failed`` or ``interrupted``; or ``running`` or ``killed``; or
        ``out of sight``: on another machine, where nobody here can tell.
    task, start
        What is done: a job's name, a run's command; by which process and since when, in
        words. Empty where the log does not say.
    lines
        Its error, if it failed; else its last two lines.
    quiet_s
        Seconds since it wrote anything; 0 where clocks differ and it would be less.
    """

    log: Path
    state: str
    task: str
    start: str
    lines: tuple[str, ...]
    quiet_s: float


def read_attempt(log: Path) -> Attempt | None:
    """Read the ends of a log, also while it is written; None where there is none."""
    try:
        with log.open("rb") as file:
            held = _is_held(file.fileno())
            head = file.readline(TAIL_BYTES).decode(errors="replace").rstrip()
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            tail = file.read().decode(errors="replace").splitlines()
        quiet_s = max(0.0, time.time() - log.stat().st_mtime)
    except FileNotFoundError:
        return None
    found, ended = STARTED.fullmatch(head), tail and ENDED.fullmatch(tail[-1])
    start = found.groupdict("") if found else dict.fromkeys(STARTED.groupindex, "")
    state = ended[1] if ended else _state(held, start["host"], start["slurm"])
    shown = tail[-2:]
    if state == "failed":
        errors = [i for i, line in enumerate(tail) if STAMP.findall(line) == ["ERROR"]]
        shown = tail[errors[-1] if errors else 0 : -1][-ERROR_LINES:]
    return Attempt(
        log=log,
        state=state,
        task=start["task"],
        start="{who}, since {since}".format(**start) if found else "",
        lines=tuple(STAMP.sub("", line) for line in shown),
        quiet_s=quiet_s,
    )


def _is_held(file: int) -> bool | None:
    """Whether the process that writes the log lives; None where a file has no lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def _state(held: bool | None, host: str, slurm_job: str) -> str:
    alive = held
    # The lock may not reach from machine to machine.
    if held is None or (not held and host != socket.gethostname()):
        alive = slurm.is_queued(slurm_job) if slurm_job else None
    return {True: "running", False: "killed", None: "out of sight"}[alive]
