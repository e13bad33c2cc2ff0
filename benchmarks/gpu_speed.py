"""How fast a GPU trains and denoises, against plain code and against its own limits.

A part of ``benchmarks.gpu``.
"""

import statistics
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from benchmarks import ensemble, nafnet_step, train_step
from benchmarks.batches import pools
from benchmarks.measuring import Rows, alternate, ratio
from benchmarks.step_traffic import moved_per_pixel, operations_per_pixel
from mid_core.batches import Batches
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.runtime.devices import sender

# Of our step in bf16, against the plain one in each precision.
REACH = {"fp32": 3.0, "bf16": 1.5}


@dataclass(frozen=True)
class Sizes:
    """How much is computed.

    Attributes
    ----------
    depth
        Of the NAFNets: settings besides the width; published ones by default.
    batch_size, patch_size
        Crops a step, their side in pixels.
    steps, repeats
        Steps of the loop that are timed together; how often all is timed.
    image, tiles, masks
        Height and width of the image, sides of tiles, K.
    matrix, copied
        Side of the matrices, bytes of the copy.
    """

    depth: dict
    batch_size: int = 16
    patch_size: int = 256
    steps: int = 200
    repeats: int = 2
    image: tuple[int, int] = (4000, 6000)
    tiles: tuple[int, ...] = (1024, 2048, 4096)
    num_masks: int = 10
    matrix: int = 8192
    copied: int = 2**30


FULL = Sizes({})
QUICK = Sizes(
    {"encoder": [1], "middle": 1, "decoder": [1]},
    *(2, 32, 3, 2, (96, 160), (64, 128), 2, 256, 2**20),
)


def limits(sizes: Sizes, device: str) -> Rows:
    """Measure what bounds everything: bf16 matrix products, and a copy."""
    side = (sizes.matrix, sizes.matrix)
    a, b = (torch.randn(side, device=device).bfloat16() for _ in range(2))
    source = torch.randint(256, (sizes.copied,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    works = {"matrix": lambda: a @ b, "copy": lambda: target.copy_(source)}
    times = alternate(works, 4 * sizes.repeats, device)
    matrix, copy = (statistics.median(times[name]) for name in works)
    return [
        {
            "bf16_tflop_per_s": 2 * sizes.matrix**3 / matrix / 1e12,
            # Each byte is read and written.
            "copy_gb_per_s": 2 * sizes.copied / copy / 1e9,
        }
    ]


def step(width: int, sizes: Sizes, device: str) -> Rows:
    """Measure a training step against the plain reference, and what bounds ours."""
    (best,), rows = limits(sizes, device), []
    repeats, pixels = 3 * sizes.repeats, sizes.batch_size * sizes.patch_size**2
    network = {"name": "nafnet", "width": width, **sizes.depth}
    common = (network, sizes.batch_size, sizes.patch_size, repeats, device)
    # What is used in a long training, and what recording alone brings.
    used = nafnet_step.compare(*common, "bf16", tuple(REACH), "always")
    found = [row | {"to_reach": REACH[row["plain"]]} for row in used]
    found += nafnet_step.compare(*common, compiled="auto")
    for row in found:
        per_s, ours = pixels / row["ours_s"], build(network).to(device)
        tflop = operations_per_pixel(ours) * per_s / 1e12
        moved = moved_per_pixel(ours, row["ours"]) * per_s / 1e9
        rows.append(
            {"network": f"NAFNet-{width}"}
            | row
            | {"tflop_per_s": tflop}
            | {"share of matrix rate": tflop / best["bf16_tflop_per_s"]}
            # Of what unfused operations move: what is fused does not.
            | {"share of copy rate": moved / best["copy_gb_per_s"]}
        )
    return rows


def loop(sizes: Sizes, device: str) -> Rows:
    """Run the training loop with batches from stores, against the bare step."""
    network = {"name": "nafnet", "width": 32, **sizes.depth}
    with tempfile.TemporaryDirectory() as folder:
        sources = train_step.stores(Path(folder), sizes.batch_size, sizes.patch_size)
        return train_step.compare(
            *(network, sources, sizes.steps, sizes.repeats, "bf16", device)
        )


def batches(sizes: Sizes, device: str) -> Rows:
    """Batches drawn and brought to the device, against bringing one as often."""
    drawn = Batches(
        *pools(), sizes.batch_size, sizes.patch_size, Masking(0.7), False, [0]
    )
    whole, where = drawn.draw(0), torch.device(device)
    send = sender(where)
    works = {
        "drawn": lambda: deque(drawn.stream(0, sizes.steps, device=where), maxlen=0),
        "copied": lambda: [[*map(send, whole)] for _ in range(sizes.steps)],
    }
    times = alternate(works, sizes.repeats, device)
    return [
        {
            "batch_size": sizes.batch_size,
            "patch_size": sizes.patch_size,
            "batches_per_s": sizes.steps / statistics.median(times["drawn"]),
            "copies_per_s": sizes.steps / statistics.median(times["copied"]),
            "ratio": ratio(times["copied"], times["drawn"]),
            "to_reach": 0.5,
        }
    ]


def images(sizes: Sizes, device: str) -> Rows:
    """Denoise a large image, against as many passes over the same pixels."""
    network = {"name": "nafnet", "width": 32, **sizes.depth}
    return [
        row
        for tile in sizes.tiles
        for row in ensemble.compare(
            *(network, sizes.patch_size, sizes.image, tile, sizes.num_masks, 1, device)
        )
    ]


PARTS: dict[str, Callable[[Sizes, str], Rows]] = {
    "what the card can do": limits,
    "a training step against a plain one": partial(step, 32),
    "the training loop against the bare step": loop,
    "batches on the device against copies": batches,
    "a training step of a wide network": partial(step, 64),
    "an image of many megapixels against bare passes": images,
}
