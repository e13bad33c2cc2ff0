"""Batches a second, against copying the same bytes once.

A batch is clean crops, noise crops, flips, quarter turns and masks, from pools in
memory. The copy is of one finished batch, input and target, to new memory, in one
thread. Both alternate in one run. Run: python -m benchmarks.batches
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mid_core.sampling import Batches, InMemory, Masking

SIZES = ((8, 64), (32, 256))
THREADS, CROPS, REPEATS = (1, 2, 4), 256, 7


def pools() -> tuple[InMemory, InMemory]:
    """Make images and a bank, larger than the caches of a processor."""
    rng = np.random.default_rng(0)
    clean = ((str(i), rng.integers(0, 256, (512, 640, 3), "u1")) for i in range(64))
    noise = (
        (str(i), rng.normal(0, 0.1, (256, 256, 3)).astype(np.float16))
        for i in range(128)
    )
    return InMemory(clean), InMemory(noise)


def seconds(work: Callable[[int], object], steps: int, threads: int) -> float:
    """Time of so many calls, in so many threads."""
    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        for _ in pool.map(work, range(steps)):
            pass
        return time.perf_counter() - start


def main() -> None:
    """Print a row for each size of batch and number of threads."""
    clean, noise = pools()
    print("batch     threads   batches/s   copies/s   ratio (to reach: 0.5)")
    for batch, patch in SIZES:
        batches = Batches(clean, noise, batch, patch, Masking(0.7), False, [0])
        whole, steps = [part.numpy() for part in batches.draw(0)], CROPS // batch
        for threads in THREADS:
            times = [
                (
                    seconds(batches.draw, steps, threads),
                    seconds(lambda _: [part.copy("K") for part in whole], steps, 1),  # noqa: B023
                )
                for _ in range(REPEATS)
            ]
            drawn, copied = (statistics.median(t) for t in zip(*times, strict=True))
            ratio = statistics.median(c / d for d, c in times)
            print(
                f"{batch:2} x {patch:3}   {threads:4}   {steps / drawn:12.1f}"
                f"{steps / copied:11.1f}   {ratio:5.3f}"
            )


if __name__ == "__main__":
    main()
