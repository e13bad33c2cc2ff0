"""Measure how far each bank is from the true noise, and the gap that masks leave."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mid_core.evaluation.gap import gap
from mid_core.evaluation.realism import realism
from mid_core.images.picture import to_float
from mid_core.runtime.progress import Progress, run_rule
from mid_core.store import Store, store_path

# As much of a pool as fits in memory: a window each of so many images.
IMAGES, SIDE = 40, 512

Window = tuple[int, int, int, int]


def windows(store: Store, rng: np.random.Generator) -> list[Window]:
    """Draw a window in each of some images: index, top, left and side."""
    chosen = np.sort(rng.permutation(len(store))[:IMAGES])
    found = []
    for index in chosen.tolist():
        height, width = store.sizes[index]
        side = min(SIDE, height, width)
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        found.append((index, int(top), int(left), side))
    return found


def cut(store: Store, places: Sequence[Window]) -> list[np.ndarray]:
    """Take the windows of a store, as floats: pixels in [0, 1], noise as it is."""
    crops = [store.crop(*place) for place in places]
    if store.kind == "noise":
        return [crop.astype(np.float32) for crop in crops]
    return [to_float(crop) for crop in crops]


def noisy_images(
    clean: Sequence[np.ndarray], noise: Sequence[np.ndarray], rng: np.random.Generator
) -> list[np.ndarray]:
    """Add noise from anywhere in a bank to the top-left of each clean image."""
    images = []
    for x in clean:
        n = noise[rng.integers(len(noise))]
        side = min(*x.shape[:2], *n.shape[:2])
        top, left = (rng.integers(size - side + 1) for size in n.shape[:2])
        images.append(x[:side, :side] + n[top : top + side, left : left + side])
    return images


def main() -> None:
    params = snakemake.params
    stores = {
        name: Store(store_path(manifest)) for name, manifest in snakemake.input.items()
    }
    truth, clean = stores.pop("true noise"), stores.pop("clean")
    draw, seed = np.random.default_rng, params.seed
    places = windows(truth, draw([seed, 0]))
    about = {"pool": clean.path.parent.name}
    about |= {key: clean.attributes[key] for key in ("dataset", "split")}
    about |= {"n_images": len(places), "seed": seed, "variant": params.variant}
    noise, signal = cut(truth, places), cut(clean, places)
    real = [x + n for x, n in zip(signal, noise, strict=True)]
    # Noise of the same images, put anywhere: what a perfect bank would leave.
    banks = {"true noise": (noise, signal)}
    for name, store in stores.items():
        own = store.names == truth.names
        fields = cut(store, places if own else windows(store, draw([seed, 1])))
        banks[name] = (fields, signal if own else None)
    report = Progress("realism", len(banks) + 1, "bank")
    rows, gaps = [], [{"bank": "floor"} | gap(real, real, draw([seed, 2]))]
    for name, (fields, under) in banks.items():
        found = realism(fields, noise, signal, draw([seed, 3]), under)
        rows.append({"bank": name} | about | found)
        synthetic = noisy_images(signal, fields, draw([seed, 4]))
        gaps.append({"bank": name} | gap(synthetic, real, draw([seed, 2])))
        report()
    pd.DataFrame(rows).to_csv(snakemake.output.realism, index=False)
    curves = pd.concat([pd.DataFrame(one) for one in gaps]).assign(**about)
    curves.to_csv(snakemake.output.gap, index=False)


run_rule(main, snakemake.log[0])
