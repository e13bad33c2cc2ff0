"""PSNR and both SSIMs of blocks, against one SSIM by scikit-image, on all cores.

Ours: PSNR and SSIM under sidd-matlab3d (our formula on SciPy's filter) and under gauss2d
(scikit-image's). Against it: scikit-image's Gaussian SSIM of each channel alone. Both take
the same float32 blocks of 256 x 256 x 3, in one thread for each core; scikit-image alone
then computes in float32, ours always in float64.
Run: python -m benchmarks.evaluate_blocks [BLOCKS]
"""

import os
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from benchmarks.measuring import alternate, publish, ratio
from mid_core.evaluation.metrics import scores

SIDE, REPEATS, REACH = 256, 5, 0.25
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


def main(blocks: int = 64) -> None:
    """Alternate the two, so that a busy machine slows both."""
    cores, values = len(os.sched_getaffinity(0)), {}
    with ThreadPoolExecutor(cores) as threads:
        pairs = list(threads.map(pair, range(blocks)))

        def score(measure: Callable) -> None:
            values[measure] = list(threads.map(measure, *zip(*pairs, strict=True)))

        works = {one.__name__: partial(score, one) for one in (ours, theirs)}
        times = alternate(works, REPEATS)
    row = {
        "blocks": blocks,
        "threads": cores,
        "skimage_ms_a_block": 1e3 * statistics.median(times["theirs"]) / blocks,
        "ours_ms_a_block": 1e3 * statistics.median(times["ours"]) / blocks,
        "ratio": ratio(times["theirs"], times["ours"]),
        "to_reach": REACH,
        "skimage_mean_ssim": statistics.mean(values[theirs]),
        "our_mean_ssim_rounded": statistics.mean(values[ours]),
    }
    title = f"PSNR and two SSIMs against one SSIM, {SIDE}x{SIDE}x3"
    publish("evaluate_blocks", {title: [row]})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
