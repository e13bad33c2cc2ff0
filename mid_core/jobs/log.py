"""What the log of a job says of the job itself: who, when, how far, how it ended.

``results/<dataset>/logs/<rule>/<job>.log`` holds the last attempt, as Snakemake deletes
it when the next one starts; ``<job>.attempts.txt`` holds all attempts of a job that did
not come through at once.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from mid_core.runtime.liveness import Process

LINE = "%(asctime)s %(levelname)s %(message)s"
FINISHED, FAILED, INTERRUPTED = "finished", "failed", "interrupted: %s"
# A job elsewhere that wrote nothing for so long is taken for dead.
PATIENCE_S = 600
TAIL_BYTES = 16_384
STARTED = re.compile(
    r"(?P<since>\S+ \S+),\d+ INFO started: \S+ on (?P<host>\S+), process (?P<pid>\d+)"
    r"(?:, SLURM job (?P<slurm>\S+))?, (?P<born>[\d.]+) s after its boot"
)
ENDED = re.compile(r"\S+ \S+ INFO (?P<end>finished|failed|interrupted: .*)")
ERROR = re.compile(r"^[\d-]+ [\d:,]+ ERROR ")
PROGRESS = re.compile(r"\S+ \S+ INFO .*: (?P<far>\w+ \S+ of \d+, .* s left)")


def job_name(log: Path) -> str:
    """A job's name after its log: ``train_round/mid_0``."""
    folders = log.with_suffix("").parts
    return "/".join(folders[folders.index("logs") + 1 :] if "logs" in folders else [])


def attempts_path(log: Path) -> Path:
    """Where all attempts of this log's job are kept."""
    return log.with_suffix(".attempts.txt")


def first_line(log: Path) -> str:
    """What a job says when it starts; ``STARTED`` reads it."""
    own = Process.this()
    name = job_name(log) or log.stem
    return f"started: {name} on {own}, {own.born:.2f} s after its boot"


@dataclass(frozen=True)
class Attempt:
    """The last attempt of a job, as its log has it.

    Attributes
    ----------
    log
        The log file.
    process
        Who wrote it; None where it does not say.
    since
        When it started, by the clock of its machine.
    end
        Its last word: ``finished``, ``failed`` or ``interrupted: why``; else empty.
    far
        Its last line of progress; else empty.
    last_lines
        Its last error, or else its last lines: their ends where they are long.
    quiet_s
        Seconds since it wrote anything; 0 where clocks differ and it would be less.
    """

    log: Path
    process: Process | None
    since: str
    end: str
    far: str
    last_lines: tuple[str, ...]
    quiet_s: float

    @property
    def state(self) -> str:
        """``finished``, ``failed``, ``running``, or ``stopped``: interrupted or killed."""
        if self.end:
            return "stopped" if self.end.startswith("interrupted") else self.end
        alive = self.process.lives() if self.process else None
        alive = self.quiet_s < PATIENCE_S if alive is None else alive
        return "running" if alive else "stopped"


def read_attempt(log: Path, lines: int = 8) -> Attempt | None:
    """Read the ends of a log; None where there is none.

    Parameters
    ----------
    log
        The log file; it may be written to meanwhile.
    lines
        How many of its last lines to keep.
    """
    try:
        with log.open("rb") as file:
            head = file.readline(TAIL_BYTES).decode(errors="replace")
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            tail = file.read().decode(errors="replace").splitlines()
        written = log.stat().st_mtime
    except FileNotFoundError:
        return None
    start = STARTED.match(head)
    process = start and Process(
        start["host"], int(start["pid"]), float(start["born"]), start["slurm"] or ""
    )
    end = ENDED.fullmatch(tail[-1]) if tail else None
    said = tail[:-1] if end else tail
    errors = [i for i, line in enumerate(said) if ERROR.match(line)]
    last = said[errors[-1] if errors else 0 :][-lines:]
    far = [found["far"] for line in tail if (found := PROGRESS.fullmatch(line))]
    return Attempt(
        log=log,
        process=process,
        since=start["since"] if start else "",
        end=end["end"] if end else "",
        far=far[-1] if far else "",
        last_lines=tuple(ERROR.sub("", line) for line in last),
        quiet_s=max(0.0, time.time() - written),
    )
