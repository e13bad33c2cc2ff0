"""Probabilistic Noise2Void (Krull et al., 2020, arXiv 1906.00651), bootstrapped.

A network draws samples of what a pixel may be, from the pixels around it, and learns
that some of them make the noisy value likely. The answer is their mean, weighed by how
likely each makes the pixel's own noisy value. That takes a model of the noise. Here it
needs no calibration: a mixture of Gaussians is fitted to noisy images beside the
predictions of a Noise2Void network (Prakash et al., "Fully Unsupervised Probabilistic
Noise2Void", ISBI 2020).

The noise is taken for independent from pixel to pixel, and for a function of the pixel
alone. That of photographs is neither: Noise2Void's predictions keep part of it, the
noise model misses that part, and the answer keeps it, too.

Differences from the published code: it is for grey images; here each colour has samples
and a noise model of its own, and its samples see the other colours. The U-Net's skips
are concatenated, its ReLUs are leaky, and samples begin spread over [0, 1]. Images are
in [0, 1] as they are. A pixel's replacement may be the pixel itself, one time in 25. A
cosine schedule instead of halving on a plateau; batches of 20 crops, as 5 times 4 there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mid_core.losses import Batch, Turn
from mid_core.methods.noise2void import Replaced
from mid_core.methods.stage import Stage, begin_with

LABEL = "PN2V"
FAMILY = "self-supervised"
STAGES = """
noise2void: noise2void.network
noise:
  does: pn2v.NoiseModel
  sees: [noisy, before]
  network: {name: sampled_unet, width: 1, depth: 1, samples: 1, components: 3}
  training: {iterations: 4000, batch_size: 4, patch_size: 80, learning_rate: 0.1, min_learning_rate: 1.0e-3, max_grad_norm: 0}
samples:
  does: pn2v.Samples
  sees: [noisy, before]
  options: {box: 6, radius: 2}
  network: {name: sampled_unet, width: 64, depth: 2, samples: 800, components: 3}
  training: {iterations: 10000, batch_size: 20, patch_size: 100, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
"""


@dataclass(frozen=True)
class NoiseModel(Stage):
    """The noise model learns noisy values beside Noise2Void's predictions.

    Of the network that is trained, it is the only part that learns.
    """

    def turns(self) -> list[Turn]:
        """Return what learns: the noise model."""
        return [Turn("noise", self.loss)]

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean of -log p(y | x), where x is the prediction."""
        y, _ = batch
        with torch.no_grad():
            x = self.before(y).float()  # type: ignore[misc]
        models = enumerate(network.noise)  # type: ignore[arg-type]
        logs = [model.log_density(y[:, c], x[:, c]) for c, model in models]
        return -torch.stack(logs).mean()


@dataclass(frozen=True)
class Samples(Replaced):
    """A network learns samples that make the replaced pixels likely.

    Attributes
    ----------
    box, radius
        See ``noise2void.Replaced``; about one pixel of 36 is replaced.
    """

    box: int = 6
    radius: int = 2

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the network, with the noise model of the stage before, frozen.

        Raises
        ------
        MidError
            If that noise model has another number of Gaussians.
        """
        built = super().build(network, channels, seed)
        begin_with(built.noise, self.before.noise, "network.components")  # type: ignore[arg-type, union-attr]
        built.noise.requires_grad_(False)  # type: ignore[operator]
        return built

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean of -log p(y) at replaced pixels, p the mean of all samples'.

        It is divided by how many are expected, as that of Noise2Void.
        """
        shown, y, replaced = batch
        features = network.features(shown).permute(0, 2, 3, 1)  # type: ignore[operator]
        total = torch.zeros((), device=y.device)
        for colour, model in enumerate(network.noise):  # type: ignore[arg-type]
            here = replaced[:, colour]
            drawn = network.samples(features[here], colour)  # type: ignore[operator]
            logs = model.log_density(y[:, colour][here][:, None], drawn)
            likely = torch.logsumexp(logs, dim=1) - math.log(drawn.shape[1])
            total = total - likely.sum()
        return total * self.box**2 / y.numel()
