"""Subtract the truth from the images of a pool: the noise that MID tries to find."""

import numpy as np

from mid_core.evaluation.noise_statistics import Statistics
from mid_core.images.picture import to_float
from mid_core.jobs.rule import run_rule
from mid_core.store import Store, StoreWriter, pairs, store_path


def main() -> None:
    noisy = Store.of(snakemake.input.noisy)
    clean = Store.of(snakemake.input.truth)
    statistics = Statistics()
    path = store_path(snakemake.output.manifest)
    with StoreWriter(path, "noise") as store:
        for name, image, truth in pairs(noisy, clean):
            x = to_float(truth)
            noise = (to_float(image) - x).astype(np.float16)
            store.append(name, noise)
            statistics.add(noise, x)
        store.attributes = {
            "made_by": {"stage": "true_noise", "version": snakemake.params.version},
            "noisy": noisy.content,
            "statistics": statistics.summary(),
        }


run_rule(main, snakemake.log[0])
