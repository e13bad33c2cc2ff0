"""Score a method without training on a test pool, or note that it is not installed."""

import math

import numpy as np
import pandas as pd

from mid_core.evaluation.baselines import BASELINES, NotInstalledError
from mid_core.evaluation.scoring import image_rows, same_images
from mid_core.images.picture import to_float
from mid_core.jobs.rule import run_rule
from mid_core.runtime.parallel import ahead
from mid_core.runtime.progress import Progress, log
from mid_core.store import Store, pairs

Pair = tuple[str, np.ndarray, np.ndarray]


def scored(pair: Pair) -> list[dict]:
    """Give the rows of one image; without scores where the method is not installed."""
    name, y, x = pair
    try:
        x_hat = BASELINES[snakemake.wildcards.baseline](y)
    except NotInstalledError as error:
        log.warning(error)
        x_hat = None
    rows = image_rows(
        y, x, {1: y if x_hat is None else x_hat}, snakemake.params.protocols
    )
    if x_hat is None:
        rows = [row | {"psnr_db": math.nan, "ssim": math.nan} for row in rows]
    return [{"image": name} | row | {"mask_ratio": 0, "seed": None} for row in rows]


def main() -> None:
    noisy = Store.of(snakemake.input.test)
    clean = Store.of(snakemake.input.truth)
    images = same_images(noisy, clean, snakemake.wildcards.pool)
    report = Progress(f"scores of {snakemake.wildcards.baseline}", len(noisy), "image")
    each = ((n, to_float(y), to_float(x)) for n, y, x in pairs(noisy, clean))
    rows = []
    for one in ahead(scored, each, snakemake.threads):
        rows += [images | row for row in one]
        report()
    pd.DataFrame(rows).to_csv(snakemake.output.scores, index=False)


run_rule(main, snakemake.log[0])
