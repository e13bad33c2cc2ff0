"""Simple images with simulated correlated noise, and tiny trainings on them."""

from importlib import import_module

import numpy as np
import torch
import torch.nn.functional as F
from ruamel.yaml import YAML
from torch import nn

from mid_core.methods import answer_of, stage_of
from mid_core.networks.layers import he_normal
from mid_core.patches import InMemory
from mid_core.trainer import Trainer, Training
from mid_core.training import train

SIGMA = 0.2
DBSN = {"name": "dbsn", "width": 16, "modules": 0}
CPU = torch.device("cpu")


def clean(seed, height, width):
    """A colour that changes a little from corner to corner, (H, W, 3)."""
    rng = np.random.default_rng(seed)
    colour = rng.uniform(0.2, 0.8, (1, 3, 1, 1))
    corners = torch.tensor(colour + 0.1 * rng.standard_normal((1, 3, 2, 2)))
    x = F.interpolate(corners, (height, width), mode="bilinear", align_corners=True)
    return x[0].permute(1, 2, 0).numpy()


def noisy(seed, x):
    """Add Gaussian noise, blurred by 3x3 pixels."""
    white = np.random.default_rng([seed, 1]).standard_normal(x.shape)
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    noise = sum(np.roll(white, shift, (0, 1)) for shift in shifts) / 3
    return (x + SIGMA * noise).astype(np.float32)


def pool(count=60, height=64, width=76):
    images = [noisy(i, clean(i, height, width)) for i in range(count)]
    return InMemory([(f"image {i}", image) for i, image in enumerate(images)])


def first_stage(method):
    """What a method's file says of its only training."""
    text = import_module(f"mid_core.methods.{method}").STAGES
    (stage,) = YAML(typ="safe").load(text).values()
    return stage


def trained(method, settings, steps, rate=5e-3, patch_size=60, seed=1):
    """Train a small network; return how it is used, and the loss of each step."""
    told = first_stage(method)
    stage = stage_of(told)
    network = stage.build(settings, 3, [1])
    torch.manual_seed(seed)
    # PyTorch's own initial weights shrink what passes, and few steps change little.
    for part in network.children():
        if isinstance(part, nn.Sequential | nn.ModuleList):
            he_normal(part)
    training = Training(steps, 1, patch_size, rate, max_grad_norm=0, ema_decay=0)
    trainer = Trainer(network, training, CPU, turns=stage.turns())
    train(trainer, stage.batches({"noisy": pool()}, 1, patch_size, [0]), every=1)
    used = answer_of(told["answer"], network.eval())
    return used, [row["loss"] for row in trainer.history]


def squared_errors(answer):
    """Return those of the noisy image and of the answer, on an image never seen."""
    x = clean(1000, 61, 83)
    y = noisy(1000, x)
    with torch.inference_mode():
        found = answer(torch.tensor(y).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    return ((y - x) ** 2).mean(), ((found.numpy() - x) ** 2).mean()


class Pictures:
    """Noisy pictures to train on, and two others on which a network is measured."""

    def __init__(self, rng):
        self.seed = [int(rng.integers(1000))]
        self.noisy = pool()

    def train(self, stage, network, steps):
        """Train a network; return the mean loss of its first and last ten steps."""
        training = Training(steps, 8, 32, 1e-2, max_grad_norm=1, ema_decay=0)
        trainer = Trainer(network, training, CPU, turns=stage.turns())
        batches = stage.batches({"noisy": self.noisy}, 8, 32, self.seed)
        train(trainer, batches, every=1)
        network.eval()
        losses = [row["loss"] for row in trainer.history]
        return np.mean(losses[:10]), np.mean(losses[-10:])

    def error(self, answer):
        """Return the mean squared error of what a network makes of new pictures."""
        errors = []
        for seed in (2000, 2001):
            x = clean(seed, 61, 83)
            y = torch.tensor(noisy(seed, x)).permute(2, 0, 1)[None]
            with torch.inference_mode():
                found = answer(y)[0].permute(1, 2, 0).numpy()
            errors.append(((found - x) ** 2).mean())
        return np.mean(errors)
