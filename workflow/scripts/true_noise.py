"""Subtract the truth from the images of a pool: the noise that MID tries to find."""

import numpy as np

from mid_core.images import to_float
from mid_core.noise import Statistics
from mid_core.progress import run_rule
from mid_core.store import Store, StoreWriter, store_path


def main() -> None:
    pixels = Store(store_path(snakemake.input.pixels))
    noisy, clean = pixels.stacks["image"], pixels.stacks["truth"]
    statistics = Statistics()
    path = store_path(snakemake.output.seal)
    with StoreWriter(path, {"noise": "float16"}, noisy.channels) as store:
        for index, name in enumerate(noisy.names):
            x = to_float(clean.read(index))
            noise = (to_float(noisy.read(index)) - x).astype(np.float16)
            store.append(name, noise=noise)
            statistics.add(noise, x)
        store.attributes = {
            "made_by": {"stage": "true_noise", "version": snakemake.params.version},
            "noisy": pixels.content,
            "statistics": statistics.summary(),
        }


run_rule(main, snakemake.log[0])
