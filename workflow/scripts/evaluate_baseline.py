"""Score a method without training on a test pool, or note that it is not installed."""

import math
import time

import numpy as np
import pandas as pd

from mid_core.evaluation.scoring import image_rows, same_images
from mid_core.images.picture import to_float
from mid_core.jobs.rule import run_rule
from mid_core.methods import denoise_without_training
from mid_core.methods.bm3d import NotInstalledError
from mid_core.methods.levels import autocovariance
from mid_core.runtime.parallel import ahead
from mid_core.runtime.progress import Progress, log
from mid_core.store import Store, pairs

Pair = tuple[str, np.ndarray, np.ndarray]


def scored(pair: Pair, covariance: np.ndarray | None) -> list[dict]:
    """Give the rows of one image; without scores where the method is not installed."""
    name, y, x = pair
    params, start = snakemake.params, time.thread_time()
    try:
        how = params.function, params.options
        x_hat = denoise_without_training(*how, y, x, covariance)
    except NotInstalledError as error:
        log.warning(error)
        x_hat = None
    seconds = (time.thread_time() - start) / (y.shape[0] * y.shape[1] / 1e6)
    rows = image_rows(y, x, {1: y if x_hat is None else x_hat}, params.protocols)
    if x_hat is None:
        seconds = math.nan
        rows = [row | {"psnr_db": math.nan, "ssim": math.nan} for row in rows]
    facts = {"mask_ratio": 0, "seed": None, "seconds_per_megapixel": seconds}
    return [{"image": name} | row | facts for row in rows]


def main() -> None:
    noisy = Store.of(snakemake.input.test)
    clean = Store.of(snakemake.input.truth)
    images = same_images(noisy, clean, snakemake.wildcards.pool)
    report = Progress(f"scores of {snakemake.wildcards.baseline}", len(noisy), "image")
    each = ((n, to_float(y), to_float(x)) for n, y, x in pairs(noisy, clean))
    covariance, rows = None, []
    if bank := snakemake.input.get("bank"):
        covariance = autocovariance(noise for _, noise in Store.of(bank))
    for one in ahead(lambda pair: scored(pair, covariance), each, snakemake.threads):
        rows += [images | row for row in one]
        report()
    pd.DataFrame(rows).to_csv(snakemake.output.scores, index=False)


run_rule(main, snakemake.log[0])
