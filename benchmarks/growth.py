"""How time and memory grow with the work, with the exponent fitted.

Each size runs in a process of its own. Time is the processor's, of all threads, which
a busy machine disturbs least. Memory is what the process grows by while it works,
beyond what it had loaded. An exponent of 1 is linear; that at the end, of the two
largest sizes, shows what only begins to matter there. Run: python -m benchmarks.growth
"""

import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.growing import EVERY
from benchmarks.measuring import Rows, publish

REPEATS = 3
# Less than this is the noise of an allocator.
LEAST_MB = 4.0
# What disturbed timings may make of an exponent of 1.
LINEAR = 1.2


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Fit p of cost = c * size**p: the slope on logarithmic scales."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def prepare(number: int, folder: Path, size: int) -> None:
    """Write what a size works on; in a process of its own."""
    EVERY[number].prepare(folder, size)


def measure(number: int, folder: Path, size: int) -> tuple[float, float]:
    """Seconds and megabytes of a size; in a process of its own."""
    work, before = EVERY[number].load(folder, size), peak_mb()
    # The first time shows the memory, and loads what is loaded late.
    work()
    grown, seconds = peak_mb() - before, []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds), grown


def alone(function: Callable, *arguments: object) -> Any:
    """Call a function in a fresh process, which has loaded nothing."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as process:
        return process.submit(function, *arguments).result()


def grow(number: int) -> Rows:
    """Measure all sizes of a kind of work."""
    work, rows = EVERY[number], []
    for size in work.sizes:
        with tempfile.TemporaryDirectory() as folder:
            alone(prepare, number, Path(folder), size)
            seconds, grown = alone(measure, number, Path(folder), size)
        row = {"what": work.what, "over": work.over, "size": size}
        rows.append(row | {"cpu_seconds": seconds, "memory_mb": grown})
    return rows


def fit(rows: Rows) -> dict[str, object]:
    """Say with which power of the size the time and the memory of work grow.

    Parameters
    ----------
    rows
        Of one kind of work, the smallest ``size`` first: ``cpu_seconds``, ``memory_mb``.

    Returns
    -------
    ``time``, ``memory``: exponents over all sizes; ``time_at_the_end``: over the two
    largest; and whether one of them is ``worse`` than linear.
    """
    sizes, times = ([row[key] for row in rows] for key in ("size", "cpu_seconds"))
    memory = [max(row["memory_mb"], LEAST_MB) for row in rows]
    powers = {"time": exponent(sizes, times), "memory": exponent(sizes, memory)}
    powers["time_at_the_end"] = exponent(sizes[-2:], times[-2:])
    return {
        "what": rows[0]["what"],
        "over": rows[0]["over"],
        **{name: round(power, 2) for name, power in powers.items()},
        "worse": "worse than linear" if max(powers.values()) > LINEAR else "",
    }


def main() -> None:
    """Print what was measured, and the exponents."""
    works = [grow(number) for number in range(len(EVERY))]
    measured = [row for rows in works for row in rows]
    publish(
        "growth", {"measured": measured, "exponents": [fit(rows) for rows in works]}
    )


if __name__ == "__main__":
    main()
