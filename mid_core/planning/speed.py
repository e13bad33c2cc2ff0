"""How fast kinds of work are: tried here, or computed for a GPU that is not here."""

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from mid_core.evaluation.metrics import scores
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.measure import multiply_adds_per_pixel
from mid_core.training import Trainer, Training

TRIALS = 3
PIXELS = 2**16
IMPORTS = (
    "import mid_core.training, mid_core.evaluation.metrics, mid_core.ensemble, pandas"
)


class Speed(NamedTuple):
    """Seconds of a training step, and of a pixel in one pass of the network."""

    step: float
    pixel: float


def measured_speed(
    network: Denoiser, training: Training, device: torch.device
) -> Speed:
    """Time a network's training step and its pass, on random crops.

    To compile it would take longer than all else: on a GPU, a long training is faster.

    Parameters
    ----------
    network
        Is trained a little.
    training
        Settings of the training.
    device
        Where to compute.
    """
    crops, side = training.batch_size, training.patch_size
    if device.type == "cpu":
        # A whole batch of the paper's takes minutes here, and is no faster a pixel.
        crops = min(crops, max(1, PIXELS // side**2))
    # The last network, if it was recorded, refers to itself and keeps the GPU's memory.
    gc.collect()
    settings = replace(training, batch_size=crops, iterations=1)
    trainer = Trainer(network, settings, device, compiled="auto")
    inputs = network.inputs // network.pixel_unshuffle**2
    y, x = (
        torch.rand(crops, count, side, side, device=device)
        for count in (inputs, network.channels)
    )
    step = _timed(lambda: trainer.step(y, x), device)
    network.eval()
    with torch.inference_mode():
        seconds = _timed(lambda: network(y), device)
    return Speed(step * training.batch_size / crops, seconds / (crops * side**2))


def computed_speed(network: Denoiser, training: Training, rate: float) -> Speed:
    """Compute a network's speed on a GPU that is not here.

    Parameters
    ----------
    network
        It may be on the meta device.
    training
        Settings of the training.
    rate
        Operations a second that the GPU sustains in it.
    """
    # A multiply-add is two operations; backward costs twice as much as forward.
    pixel = 2 * multiply_adds_per_pixel(network) / rate
    return Speed(3 * pixel * training.batch_size * training.patch_size**2, pixel)


@cache
def scoring_seconds(protocols: tuple[str, ...]) -> float:
    """Seconds to score a pixel of an image under some protocols, in one thread."""
    x = np.random.default_rng(0).random((256, 256, 3))
    seconds = _timed(lambda: scores(x**2, x, protocols), torch.device("cpu"))
    return seconds / 256**2


@cache
def starting_seconds() -> float:
    """Seconds until a job's Python has loaded what most jobs need."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return time.perf_counter() - start


def _timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that the work takes when it is done again, at best."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    seconds = []
    for _ in range(1 + TRIALS):
        start = time.perf_counter()
        work()
        wait()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
