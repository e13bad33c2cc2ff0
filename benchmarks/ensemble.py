"""Extraction and ensemble of a large image, against bare passes over the same pixels.

Bare: K forward passes over the image, without tiles, masks and copies; where it does not
fit into memory as a whole, over its first rows, and extrapolated.
Run: python -m benchmarks.ensemble
"""

import statistics
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from benchmarks.measuring import Rows, alternate, publish, ratio
from benchmarks.nafnet_step import DEMO
from mid_core.ensemble import default_tile, denoise
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.networks.measure import peak_memory
from mid_core.noise import residual

REACH = 0.9
PATCH, IMAGE, MASKS, REPEATS = 64, (2000, 3000), 2, 2


def whole_pass(
    network: torch.nn.Module, image: np.ndarray
) -> tuple[Callable[[], torch.Tensor], float]:
    """Find the most rows that fit in one pass: the pass, and their share."""
    device, rows = next(network.parameters()).device, len(image)
    while True:
        try:
            y = torch.from_numpy(image[:rows]).to(device).permute(2, 0, 1)[None]
            work = torch.inference_mode()(partial(network, y))
            work()
        except torch.OutOfMemoryError:
            rows //= 2
        else:
            return work, rows / len(image)


def compare(
    settings: dict,
    patch: int,
    size: tuple[int, int],
    tile: int,
    num_masks: int,
    repeats: int,
    device: str = "cpu",
) -> Rows:
    """Time an extraction of one mask, and an ensemble, with tiles of a side.

    Returns
    -------
    A row for each: ``seconds``, ``bare_s`` for as many bare passes, their ``ratio``,
    and on a GPU the ``peak_gb`` of its memory.
    """
    network = build(settings).to(device).eval()
    network.set_patch_size(patch)
    y = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    bare, share = whole_pass(network, y)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    common = (network, y, Masking(0.7), [0])
    works = {
        "bare": bare,
        "extraction": partial(residual, *common, tile=tile),
        "ensemble": partial(denoise, *common, (num_masks,), tile),
    }
    times = alternate(works, repeats, device)
    rows = []
    for what, count in (("extraction", 1), ("ensemble", num_masks)):
        taken = [count * one / share for one in times["bare"]]
        row = {"what": what, "num_masks": count, "tile": tile}
        row |= {"seconds": statistics.median(times[what])}
        row |= {
            "bare_s": statistics.median(taken),
            "ratio": ratio(taken, times[what]),
        }
        row |= {"to_reach": REACH, "share_of_image_in_bare_pass": share}
        if device == "cuda":
            row["peak_gb"] = peak_memory(torch.device(device)) / 2**30
        rows.append(row)
    return rows


def main() -> None:
    """Print a row for an extraction and one for an ensemble, by the usual tiles."""
    title = f"{IMAGE[0] * IMAGE[1] / 1e6:g} megapixels, the demo's network"
    rows = compare(DEMO, PATCH, IMAGE, default_tile("cpu"), MASKS, REPEATS)
    publish("ensemble", {title: rows})


if __name__ == "__main__":
    main()
