"""Batches a second, against copying the same bytes once.

A batch is clean crops, noise crops, flips, quarter turns and masks, from pools in
memory. The copy is of one finished batch, input and target, to new memory, in one
thread. Both alternate in one run. Run: python -m benchmarks.batches
"""

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.measuring import alternate, publish, ratio
from mid_core.batches import Batches
from mid_core.masking import Masking
from mid_core.patches import InMemory

SIZES = ((8, 64), (32, 256))
THREADS, CROPS, REPEATS, REACH = (1, 2, 4), 256, 7, 0.5


def pools(images: int = 64, fields: int = 128) -> tuple[InMemory, InMemory]:
    """Make images and a bank, larger than the caches of a processor."""
    rng = np.random.default_rng(0)
    clean = ((str(i), rng.integers(0, 256, (512, 640, 3), "u1")) for i in range(images))
    noise = (
        (str(i), rng.normal(0, 0.1, (256, 256, 3)).astype(np.float16))
        for i in range(fields)
    )
    return InMemory(clean), InMemory(noise)


def repeated(
    work: Callable[[int], object], steps: int, threads: int
) -> Callable[[], None]:
    """Return a piece of work: so many calls, in so many threads."""

    def run() -> None:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, range(steps)):
                pass

    return run


def compare(batches: Batches, threads: int) -> dict[str, float]:
    """Time batches in so many threads against copies of one in a single thread."""
    whole, steps = (
        [part.numpy() for part in batches.draw(0)],
        CROPS // batches.batch_size,
    )
    works = {
        "drawn": repeated(batches.draw, steps, threads),
        "copied": repeated(lambda _: [part.copy("K") for part in whole], steps, 1),
    }
    times = alternate(works, REPEATS)
    return {
        "batch": batches.batch_size,
        "patch_size": batches.patch_size,
        "threads": threads,
        "batches_per_s": steps / statistics.median(times["drawn"]),
        "copies_per_s": steps / statistics.median(times["copied"]),
        "ratio": ratio(times["copied"], times["drawn"]),
        "to_reach": REACH,
    }


def main() -> None:
    """Print a row for each size of batch and number of threads."""
    both = pools()
    rows = [
        compare(Batches(*both, batch, patch, Masking(0.7), False, [0]), threads)
        for batch, patch in SIZES
        for threads in THREADS
    ]
    publish("batches", {"batches from memory against copies": rows})


if __name__ == "__main__":
    main()
