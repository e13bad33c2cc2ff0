"""What the last run of a job took, as Snakemake's benchmark files say it.

Snakemake writes such a file when a job has come through, and never deletes it: it tells
of the last success, however stale the job is and however often it failed since.
"""

import csv
import json
import statistics
from pathlib import Path
from typing import NamedTuple


class Usage(NamedTuple):
    """Seconds that a job took, and the most memory that it held, in MB."""

    seconds: float
    memory_mb: float


def usage(benchmark: Path, card: Path | None = None) -> Usage | None:
    """Read what a job took; None where it never came through.

    Parameters
    ----------
    benchmark
        The job's benchmark file.
    card
        A training's ``model.json``. It counts all slices of a training that was cut,
        the benchmark file only the last.
    """
    try:
        with benchmark.open(newline="") as file:
            row = list(csv.DictReader(file, delimiter="\t"))[-1]
        seconds, memory = float(row["s"]), row["max_rss"]
    except (OSError, LookupError, ValueError):
        return None
    if card and card.is_file():
        seconds = max(seconds, json.loads(card.read_text())["train_seconds"])
    # Snakemake looks every few seconds: of a short job it may have seen nothing.
    return Usage(seconds, 0.0 if memory in ("NA", "-") else float(memory))


def typical_seconds(folder: Path) -> float | None:
    """Median time of a rule's jobs; None where none has come through.

    Parameters
    ----------
    folder
        Where their benchmark files are.
    """
    known = [one.seconds for path in folder.glob("*.tsv") if (one := usage(path))]
    return statistics.median(known) if known else None


def duration(seconds: float) -> str:
    """Say a time in words, to two digits: ``2.6 h``."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * unit:
            amount = seconds / unit
            return f"{amount:.1f} {name}" if amount < 10 else f"{amount:.0f} {name}"
    return f"{seconds:.0f} s"
