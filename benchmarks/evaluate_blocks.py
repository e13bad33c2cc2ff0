"""PSNR and both SSIMs of blocks, against one SSIM by scikit-image, on all cores.

Ours: PSNR and SSIM under sidd-matlab3d and under gauss2d. scikit-image's: its Gaussian
SSIM of each channel. Both take the same float32 blocks of 256 x 256 x 3, in one thread
for each core; scikit-image then computes in float32, ours always in float64.
Run: python -m benchmarks.evaluate_blocks [BLOCKS]
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from mid_core.metrics import scores

SIDE, REPEATS = 256, 5
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make a smooth block and the same with noise, float32 in [0, 1]."""
    rng = np.random.default_rng(seed)
    x = gaussian_filter(rng.random((SIDE, SIDE, 3)), (4, 4, 0))
    x = (x - x.min()) / np.ptp(x)
    y = (x + rng.normal(0, 0.05, x.shape)).clip(0, 1)
    return y.astype(np.float32), x.astype(np.float32)


def ours(x_hat: np.ndarray, x: np.ndarray) -> float:
    """Give the flat SSIM, having computed all four numbers."""
    return scores(x_hat, x, ["sidd-matlab3d", "gauss2d"])[1]["ssim"]


def theirs(x_hat: np.ndarray, x: np.ndarray) -> float:
    """Give the flat SSIM of the blocks as they are."""
    return structural_similarity(x_hat, x, data_range=1, channel_axis=2, **GAUSSIAN)


def timed(
    threads: ThreadPoolExecutor, measure: Callable, pairs: list
) -> tuple[float, float]:
    """Seconds for all blocks, and the mean of what `measure` gives."""
    start = time.perf_counter()
    values = list(threads.map(measure, *zip(*pairs, strict=True)))
    return time.perf_counter() - start, statistics.mean(values)


def main(blocks: int = 64) -> None:
    """Alternate the two, so that a busy machine slows both."""
    cores = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(cores) as threads:
        pairs = list(threads.map(pair, range(blocks)))
        rounds = [
            [timed(threads, measure, pairs) for measure in (ours, theirs)]
            for _ in range(REPEATS + 1)
        ]
    ours_s, theirs_s = (
        statistics.median(seconds for seconds, _ in column)
        for column in zip(*rounds[1:], strict=True)
    )
    (_, ours_ssim), (_, theirs_ssim) = rounds[0]
    print(f"{blocks} blocks of {SIDE} x {SIDE} x 3, CPU, {cores} threads")
    print(
        f"mean flat SSIM: scikit-image {theirs_ssim:.6f}, ours, rounded {ours_ssim:.6f}"
    )
    print(f"scikit-image, one SSIM: {1e3 * theirs_s / blocks:.1f} ms a block")
    print(f"ours, PSNR and two SSIMs: {1e3 * ours_s / blocks:.1f} ms a block")
    print(f"ratio scikit-image / ours: {theirs_s / ours_s:.2f} (to reach: 0.80)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
