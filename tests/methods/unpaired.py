"""Noisy pictures and clean ones of other scenes, and tiny trainings on them."""

from functools import partial

import numpy as np
import torch

from mid_core.methods import stage_of
from mid_core.patches import InMemory
from mid_core.trainer import Trainer, Training
from mid_core.training import train
from tests.methods.correlated import CPU, SIGMA, clean, noisy
from tests.methods.white import noisy as independent

white = partial(independent, sigma=SIGMA)


def pools(count=30, noise=noisy):
    """Pools of images of 40 x 44 pixels; no scene is in both."""
    noisy_images = [(f"y {i}", noise(i, clean(i, 40, 44))) for i in range(count)]
    others = [
        (f"x {i}", clean(i, 40, 44).astype(np.float32))
        for i in range(1000, 1000 + count)
    ]
    return {"noisy": InMemory(noisy_images), "clean": InMemory(others)}


def small_stage(told, before=None, **options):
    """A training of a method's file, with some options changed."""
    own = {**told.get("options", {}), **options}
    return stage_of({"does": told["does"], "options": own}, before)


def train_stage(stage, settings, steps, rate, **noise):
    """Train; return the part that is kept, and the loss of each step."""
    network, batch_size, patch_size = stage.build(settings, 3, [0]), 4, 24
    training = Training(steps, batch_size, patch_size, rate, ema_decay=0.95)
    trainer = Trainer(network, training, CPU, turns=stage.turns())
    batches = stage.batches(pools(**noise), batch_size, patch_size, [0])
    train(trainer, batches, every=1)
    kept = stage.trained(trainer.model).eval().requires_grad_(False)
    return kept, [row["loss"] for row in trainer.history]


def errors(answer, noise=noisy):
    """Mean squared errors of noisy pictures never seen, and of what is made of them."""
    x = np.stack([clean(seed, 33, 41) for seed in range(2000, 2006)])
    y = np.stack([noise(2000 + i, one) for i, one in enumerate(x)])
    x, y = (torch.tensor(one).permute(0, 3, 1, 2).float() for one in (x, y))
    with torch.inference_mode():
        return ((y - x) ** 2).mean().item(), ((answer(y) - x) ** 2).mean().item()


def lag(noise):
    """Correlation of pixels beside each other, of noise (N, C, H, W)."""
    own = noise - noise.mean(dim=(2, 3), keepdim=True)
    return ((own[..., 1:] * own[..., :-1]).mean() / (own**2).mean()).item()
