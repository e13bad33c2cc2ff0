"""Images a second of the real training loop, against the bare step.

The loop reads its crops from stores, as `train_round` does, and clips, averages,
schedules and reports. The bare step is forward, backward and Adam on one batch that
lies in memory. Same network, same run, alternating. Run: python -m benchmarks.train_step
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mid_core.learner import Learner, Training
from mid_core.networks import build
from mid_core.noise import white_gaussian
from mid_core.sampling import Batches, Masking, hold
from mid_core.store import Store, StoreWriter
from mid_core.training import train

NETWORK = {
    "name": "nafnet",
    "width": 32,
    "encoder": [1, 1],
    "middle": 1,
    "decoder": [1, 1],
    "fold": 2,
}
BATCH, PATCH, STEPS, REPEATS = 8, 64, 80, 5


def stores(folder: Path) -> Batches:
    """Make a pool of images and a bank as a run has them."""
    rng = np.random.default_rng(0)
    with StoreWriter(folder / "clean.zarr", "image") as store:
        for i in range(20):
            image = rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)
            store.append(str(i), image)
    with StoreWriter(folder / "noise.zarr", "noise", tile=128) as store:
        for name, noise in white_gaussian(128, 128, (5, 50), 3, 0):
            store.append(name, noise)
    clean = hold(Store(folder / "clean.zarr"), 8)
    noise = hold(Store(folder / "noise.zarr"), 8)
    return Batches(clean, noise, BATCH, PATCH, Masking(0.8), False, [0])


def bare(batch: tuple[torch.Tensor, torch.Tensor]) -> float:
    """Seconds of STEPS bare steps on a batch in memory."""
    network = build(NETWORK).train()
    optimizer = torch.optim.Adam(network.parameters(), 4e-4)
    start = time.perf_counter()
    for _ in range(STEPS):
        loss = nn.functional.mse_loss(network(batch[0]), batch[1])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def loop(batches: Batches) -> float:
    """Seconds of STEPS steps of the real loop."""
    settings = Training(STEPS, BATCH, PATCH)
    learner = Learner(build(NETWORK), settings, torch.device("cpu"))
    start = time.perf_counter()
    train(learner, batches)
    return time.perf_counter() - start


def main() -> None:
    """Alternate the two, so that a busy machine slows both."""
    with tempfile.TemporaryDirectory() as folder:
        batches = stores(Path(folder))
        batch = batches.draw(0)
        bare(batch)
        times = [(bare(batch), loop(batches)) for _ in range(REPEATS)]
    rates = [
        statistics.median(BATCH * STEPS / t for t in one)
        for one in zip(*times, strict=True)
    ]
    ratio = statistics.median(b / r for b, r in times)
    print(f"batch {BATCH} of {PATCH}x{PATCH}, {torch.get_num_threads()} threads")
    print(f"bare step {rates[0]:.0f} images/s, real loop {rates[1]:.0f} images/s")
    print(f"ratio loop / bare: {ratio:.3f} (to reach: 0.98)")


if __name__ == "__main__":
    main()
