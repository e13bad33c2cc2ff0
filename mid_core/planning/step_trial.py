"""How long a step of a training takes: a few steps on random images."""

import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from mid_core.methods import stage_of
from mid_core.methods.stage import Stage
from mid_core.networks.denoiser import Denoiser
from mid_core.patches import InMemory, PatchSampler
from mid_core.trainer import Trainer, Training

# The first one is not timed.
STEPS = 4
# Pixels of a trial's batch on a CPU: more take minutes, and are no faster a pixel.
PIXELS = 2**16
# Passes that a training step of a plain network is worth: its backward pass costs two.
STEP_PASSES = 3
# Crops that fit into a side of a random image: some methods take several of one.
CROPS = 3
# What a stage's batches are cut from, by what it sees.
POOLS = {
    "noisy": ["noisy"],
    "clean": ["clean"],
    "white": ["noise"],
    "pairs": ["noisy", "truth"],
}


def step_seconds(
    rounds: Sequence[Mapping[str, Any]], k: int, channels: int, device: torch.device
) -> float:
    """Time steps of a compared method's training, all that its loss does included.

    Parameters
    ----------
    rounds
        Settings of the method's trainings, as mid_config unfolds them.
    k
        Which of them.
    channels
        Colours of the images.
    device
        Where to compute.

    Returns
    -------
    Seconds of one step with the settings' batch.
    """
    whole = Training(**rounds[k]["training"])
    crops = _crops(whole, device)
    trainer, batches, _ = begun(rounds, k, channels, device, crops)
    stream = batches.stream(0, STEPS, device=device)
    return _seconds(trainer, stream) * whole.batch_size / crops


def begun(
    rounds: Sequence[Mapping[str, Any]],
    k: int,
    channels: int,
    device: torch.device,
    crops: int,
) -> tuple[Trainer, PatchSampler, Stage]:
    """Set up a compared method's training on random images, with so many crops a step.

    For the other parameters see ``step_seconds``.
    """
    settings = rounds[k]
    training = Training(**settings["training"] | {"batch_size": crops})
    stage = _fresh(rounds, k, channels, device)
    side, rng = CROPS * training.patch_size, np.random.default_rng(0)
    image = rng.integers(256, size=(side, side, channels), dtype=np.uint8)
    pools = {
        role: InMemory([("random", image)])
        for seen in settings["sees"]
        for role in POOLS.get(seen, [])
    }
    batches = stage.batches(pools, crops, training.patch_size, [0])
    network = stage.build(settings["network"], batches.channels, [0])
    return Trainer(network, training, device, turns=stage.turns()), batches, stage


def _fresh(
    rounds: Sequence[Mapping[str, Any]], k: int, channels: int, device: torch.device
) -> Stage:
    """A training, on networks before it that have learnt nothing."""
    settings, before = rounds[k], None
    if "before" in settings["sees"]:
        stage = _fresh(rounds, k - 1, channels, device)
        network = stage.build(rounds[k - 1]["network"], channels, [0])
        before = stage.trained(network).to(device).eval().requires_grad_(False)
    return stage_of(settings, before)


def pass_seconds(network: Denoiser, training: Training, device: torch.device) -> float:
    """Time training steps on random crops, and return the seconds a pixel of a pass.

    Compiling would take longer than all else: on a GPU, a long training is faster.

    Parameters
    ----------
    network
        Is trained a little.
    training
        Settings of the training.
    device
        Where to compute.
    """
    side, count = training.patch_size, _crops(training, device)
    # The last network, if it was recorded, refers to itself and keeps the GPU's memory.
    gc.collect()
    settings = replace(training, batch_size=count, iterations=1)
    trainer = Trainer(network, settings, device, compiled="auto")
    channels = network.inputs // network.pixel_unshuffle**2
    y = torch.rand(count, channels, side, side, device=device)
    x = torch.rand(count, network.channels, side, side, device=device)
    return _seconds(trainer, [(y, x)] * STEPS) / (STEP_PASSES * count * side**2)


def _crops(training: Training, device: torch.device) -> int:
    """Crops of a trial's step."""
    if device.type != "cpu":
        return training.batch_size
    # Some methods share out a batch among kinds of crops.
    return min(training.batch_size, max(2, PIXELS // training.patch_size**2))


def _seconds(trainer: Trainer, batches: Any) -> float:
    """The shortest step but the first."""
    seconds = []
    for batch in batches:
        start = time.perf_counter()
        trainer.step(*batch)
        if trainer.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
