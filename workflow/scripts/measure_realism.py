"""Measure how far each bank is from the true noise, and the gap that masks leave."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from mid_core.evaluation.inspection import middle_crops
from mid_core.evaluation.realism import gap, half_statistics, realism
from mid_core.images.picture import to_float
from mid_core.jobs.rule import run_rule
from mid_core.runtime.progress import Progress
from mid_core.store import Store

# As much of a pool as fits in memory: the middle of so many images.
IMAGES, SIDE = 40, 512
# The half of its pixels that each gives: a bank has the true noise's images.
TRUTH, BANK = 0, 1


def crops(store: Store) -> list[np.ndarray]:
    """Take the middle of some images, as floats: pixels in [0, 1], noise as it is."""
    found = middle_crops(store, min(IMAGES, len(store)), SIDE)
    if store.kind == "noise":
        return [crop.astype(np.float32) for crop in found]
    return [to_float(crop) for crop in found]


def noisy_images(
    clean: Sequence[np.ndarray], noise: Sequence[np.ndarray]
) -> Iterator[np.ndarray]:
    """Add to each clean image the noise of another, as a training does."""
    for i, x in enumerate(clean):
        n = noise[(i + 1) % len(noise)]
        height, width = np.minimum(x.shape[:2], n.shape[:2])
        yield x[:height, :width] + n[:height, :width]


def main() -> None:
    stores = {name: Store.of(manifest) for name, manifest in snakemake.input.items()}
    truth, clean = stores.pop("true noise"), stores.pop("clean")
    true, signal = crops(truth), crops(clean)
    about = {"pool": clean.path.parent.name}
    about |= {key: clean.attributes[key] for key in ("dataset", "split")}
    about |= {"n_images": len(true), "variant": snakemake.params.variant}
    real = [x + n for x, n in zip(signal, true, strict=True)]
    of_truth = half_statistics(true, signal, TRUTH)
    banks = {"true noise": truth, **stores}
    report = Progress("realism", len(banks), "bank")
    rows, gaps = [], [{"bank": "floor"} | gap(real, real)]
    for name, store in banks.items():
        noise = crops(store)
        under = signal if store.names == truth.names else None
        found = realism(half_statistics(noise, under, BANK), of_truth)
        rows.append({"bank": name} | about | found)
        gaps.append({"bank": name} | gap(noisy_images(signal, noise), real))
        report()
    pd.DataFrame(rows).to_csv(snakemake.output.realism, index=False)
    curves = pd.concat([pd.DataFrame(one) for one in gaps]).assign(**about)
    curves.to_csv(snakemake.output.gap, index=False)


run_rule(main, snakemake.log[0])
