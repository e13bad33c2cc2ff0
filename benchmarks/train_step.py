"""Images a second of the real training loop, against the bare step.

The loop draws its crops from stores, as `train_round` does, and clips, averages,
schedules and reports. The bare step is forward, backward and Adam on one batch that
lies in memory; the whole step clips and averages, too. Same network, same run,
alternating. Run: python -m benchmarks.train_step
"""

import statistics
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring import alternate, publish, ratio
from benchmarks.nafnet_step import DEMO, BareStep
from mid_core.batches import Batches
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.networks.acceleration import accelerate
from mid_core.noise import white_gaussian
from mid_core.patches import hold
from mid_core.store import Store, StoreWriter
from mid_core.trainer import Trainer, Training
from mid_core.training import train

BATCH, PATCH, STEPS, REPEATS, REACH = 8, 64, 20, 9, 0.98
# As in a long training.
COMPILED = {"cpu": "never", "cuda": "always"}
# How much memory a pool may take, in GB: more than it has, or none.
POOLS = {"in memory": 8, "on disk": 0}


def stores(folder: Path, batch: int, patch: int) -> dict[str, Batches]:
    """Make a pool of images and a bank as a run has them, held in memory or not."""
    rng = np.random.default_rng(0)
    with StoreWriter(folder / "clean.zarr", "image") as store:
        for i in range(20):
            image = rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)
            store.append(str(i), image)
    with StoreWriter(folder / "noise.zarr", "noise", tile=2 * patch) as store:
        for name, noise in white_gaussian(128, 2 * patch, (5, 50), 3, 0):
            store.append(name, noise)
    return {
        name: Batches(
            hold(Store(folder / "clean.zarr"), gb),
            hold(Store(folder / "noise.zarr"), gb),
            batch,
            patch,
            Masking(0.8),
            clip=False,
            seed=[0],
        )
        for name, gb in POOLS.items()
    }


def learner_of(network: dict, settings: Training, device: str) -> Trainer:
    """Make a trainer, as `train_round` does."""
    return Trainer(
        build(network), settings, torch.device(device), compiled=COMPILED[device]
    )


def loop(trainer: Trainer, batches: Batches) -> Callable[[], None]:
    """Return a piece of work: the steps of the real loop."""

    def again() -> None:
        # The same trainer goes on: to build another would count as training.
        trainer.steps = 0
        train(trainer, batches)

    return again


def repeated(step: Callable[[], object], steps: int) -> Callable[[], None]:
    """Return a piece of work: so many of the same step."""

    def again() -> None:
        for _ in range(steps):
            step()

    return again


def compare(
    network: dict,
    sources: Mapping[str, Batches],
    steps: int,
    repeats: int,
    precision: str = "fp32",
    device: str = "cpu",
) -> list[dict[str, object]]:
    """Time the loop on each source of batches against the bare step.

    Returns
    -------
    For each source: images a second of the ``loop``, of the ``bare`` and of the
    ``whole`` step, and the loop's ``ratio`` to the bare one and ``share`` of the whole.
    """
    first = next(iter(sources.values()))
    settings = Training(steps, first.batch_size, first.patch_size, precision=precision)
    bare = build(network).to(device).train()
    work = first.batch_size, first.patch_size, precision, steps
    accelerate(bare, *work, COMPILED[device])
    y, x = (part.to(device) for part in first.draw(0))
    whole = learner_of(network, settings, device)
    works = {
        "bare": repeated(BareStep(bare, y, x, True, precision), steps),
        "whole": repeated(partial(whole.step, y, x), steps),
    }
    for name, batches in sources.items():
        works[name] = loop(learner_of(network, settings, device), batches)
    times = alternate(works, repeats, device)
    images = steps * first.batch_size
    return [
        {
            "pools": name,
            "loop_images_per_s": images / statistics.median(times[name]),
            "bare_images_per_s": images / statistics.median(times["bare"]),
            "whole_images_per_s": images / statistics.median(times["whole"]),
            "ratio": ratio(times["bare"], times[name]),
            "share_of_whole": ratio(times["whole"], times[name]),
            "to_reach": REACH,
        }
        for name in sources
    ]


def main() -> None:
    """Print a row for pools in memory, and one for pools read from disk."""
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(DEMO, stores(Path(folder), BATCH, PATCH), STEPS, REPEATS)
    title = f"batch {BATCH} of {PATCH}x{PATCH}, {torch.get_num_threads()} threads"
    publish("train_step", {title: rows})


if __name__ == "__main__":
    main()
