"""What all benchmarks share: timing side by side, a table, and a JSON file."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tabulate import tabulate

FOLDER = Path(__file__).parents[1] / "results" / "benchmarks"

Rows = Sequence[Mapping[str, Any]]


def alternate(
    works: Mapping[str, Callable[[], object]], repeats: int, device: str = "cpu"
) -> dict[str, list[float]]:
    """Time pieces of work in turn, so that a busy machine slows all of them.

    Each is done once before, untimed: it compiles, allocates and fills caches.

    Parameters
    ----------
    works
        What is timed, by name.
    repeats
        How often.
    device
        Where they compute: a GPU is waited for.

    Returns
    -------
    Seconds of each piece of work, in the order in which they were taken.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(1 + repeats):
        for name, work in works.items():
            times[name].append(seconds(work, device))
    return {name: taken[1:] for name, taken in times.items()}


def seconds(work: Callable[[], object], device: str = "cpu") -> float:
    """Time a piece of work once."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device != "cpu":
        # Not at the top: most of what is measured here does without torch.
        import torch

        torch.get_device_module(device).synchronize()


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Median ratio of times that were taken side by side."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def machine() -> dict[str, object]:
    """Say where and when this is measured, and how busy the machine is."""
    return {
        "date": date.today().isoformat(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def show(title: str, rows: Rows) -> None:
    """Print a table."""
    table = tabulate(rows, headers="keys", floatfmt=".4g", missingval="")
    print(f"\n{title}\n{table}", flush=True)


def write(
    name: str, tables: Mapping[str, Rows], folder: Path = FOLDER, **facts: object
) -> Path:
    """Write tables as JSON, with the machine and other facts; return the file."""
    path = folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"benchmark": name, "machine": machine() | facts, "tables": tables}
    # NumPy's numbers become numbers.
    path.write_text(json.dumps(content, indent=1, default=float) + "\n")
    return path


def publish(name: str, tables: Mapping[str, Rows]) -> None:
    """Print the tables of a benchmark, and write them."""
    for title, rows in tables.items():
        show(title, rows)
    print(f"\nwritten: {write(name, tables)}")
