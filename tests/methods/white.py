"""Simple images with white noise, in pairs, and tiny trainings on them."""

import numpy as np
import torch

from mid_core.patches import InMemory
from mid_core.trainer import Trainer, Training
from mid_core.training import train
from tests.methods.correlated import CPU, clean

SIGMA = 0.1


def noisy(seed, x, sigma=SIGMA):
    """Add Gaussian noise that is independent from pixel to pixel."""
    noise = np.random.default_rng([seed, 2]).standard_normal(x.shape)
    return (x + sigma * noise).astype(np.float32)


def pools(sigma=SIGMA, count=20, channels=3, size=(53, 61)):
    """Noisy images and their truths; sigma: a number, or a function of the truth."""
    pairs = []
    for i in range(count):
        x = clean(i, *size)[..., :channels].astype(np.float32)
        pairs.append((noisy(i, x, sigma(x) if callable(sigma) else sigma), x))
    noisy_ones, truths = zip(*pairs, strict=True)
    named = {"noisy": noisy_ones, "truth": truths}
    return {role: InMemory(enumerate(images)) for role, images in named.items()}


def learn(stage, network, images, steps, rate=1e-2, crops=8, patch=32):
    """Train a network; return the mean loss of its first and last ten steps."""
    training = Training(steps, crops, patch, rate, max_grad_norm=0, ema_decay=0)
    trainer = Trainer(network, training, CPU, turns=stage.turns())
    train(trainer, stage.batches(images, crops, patch, [3]), every=1)
    network.eval()
    losses = [row["loss"] for row in trainer.history]
    return np.mean(losses[:10]), np.mean(losses[-10:])


def error(answer, channels=3, sigma=SIGMA):
    """Mean squared error, as a share of the noise's, on an image never seen."""
    x = clean(1000, 61, 83)[..., :channels]
    y = torch.tensor(noisy(1000, x, sigma)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        found = answer(y)[0].permute(1, 2, 0).numpy()
    return ((found - x) ** 2).mean() / ((y[0].permute(1, 2, 0).numpy() - x) ** 2).mean()
