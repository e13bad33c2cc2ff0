"""How well a network in training does on images outside the training."""

import zlib
from dataclasses import replace

import numpy as np
import torch

from mid_core.batches import Batches
from mid_core.evaluation.metrics import psnr
from mid_core.patches import Pool
from mid_core.runtime.precision import autocast
from mid_core.trainer import Trainer

COLUMN = "held_out_psnr_db"


class HeldOut:
    """Fixed crops of held-out clean images, with fixed noise and masks.

    Parameters
    ----------
    batches
        What the training sees.
    clean
        The held-out images, which take the place of the training's.
    crops
        How many crops of them.
    checks
        How often they are looked at, at equal distances, the last time at the end.
    iterations
        Steps of the training.

    Attributes
    ----------
    steps
        After which they are looked at.
    """

    def __init__(
        self, batches: Batches, clean: Pool, crops: int, checks: int, iterations: int
    ) -> None:
        seed = [*batches.seed, zlib.crc32(b"held out")]
        own = replace(batches, clean=clean, batch_size=crops, seed=seed)
        self._y, self._x = own.draw(0)
        ends = np.linspace(0, iterations, checks + 1).round().astype(int)[1:]
        self.steps = set(ends.tolist())

    def __call__(self, trainer: Trainer) -> dict[str, float]:
        """Return the score as a column of the history, after the steps that are due."""
        due = trainer.steps in self.steps
        return {COLUMN: self.psnr_db(trainer)} if due else {}

    @torch.no_grad()
    def psnr_db(self, trainer: Trainer) -> float:
        """Return the mean PSNR of the trainer's model, in dB; it changes nothing."""
        model, settings = trainer.model, trainer.settings
        trains, scores = model.training, []
        model.eval()
        for y, x in zip(self._y, self._x, strict=True):
            with autocast(trainer.device, settings.precision):
                x_hat = model(y[None].to(trainer.device))[0].float().clamp(0, 1)
            scores.append(psnr(x_hat.cpu().numpy(), x.numpy()))
        model.train(trains)
        return float(np.mean(scores))
