"""Laine et al., "High-Quality Self-Supervised Deep Image Denoising" (NeurIPS 2019).

From the pixels around it a network predicts the colour of a pixel as a Gaussian
distribution; noise is added to that, and what is observed is the noisy pixel. So its
likelihood teaches without truths. The answer is the posterior mean: prediction and noisy
pixel, weighed against each other. This is the paper's hardest case, where the noise's
level is unknown and differs from image to image: a second network measures it.

The noise is taken for independent from pixel to pixel. That of photographs is not: the
prediction then sees it in the neighbours, and little of it goes. A larger ``hole`` of the
network keeps it out of the prediction; the paper has none.

Differences from the published code: in large images the level is that of 2.5 training
crops around, not of the whole; crops are also flipped and turned; the learning rate
falls by a cosine from the first step. The last layer of the second network starts near
0 instead of at 0, and a level above 1 is not rewarded: there the loss has no bound.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.stage import Stage
from mid_core.networks.blind_gaussian import Belief

LABEL = "Laine-BSN"
FAMILY = "self-supervised"
STAGES = """
network:
  does: laine.Likely
  sees: [noisy]
  options: {reward: 0.1}
  network: {name: blind_gaussian, width: 48, hole: 1, noise: gaussian}
  training: {iterations: 250000, batch_size: 4, patch_size: 256, learning_rate: 3.0e-4, min_learning_rate: 0, max_grad_norm: 0}
"""


@dataclass(frozen=True)
class Likely(Stage):
    """A network makes the noisy pixels likely, which its prediction does not see.

    Attributes
    ----------
    reward
        What a higher level of the noise, in units of the range [0, 1], takes off the
        loss: doubt about the prediction could stand for noise, too. Up to 1.
    """

    reward: float = 0.1

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean negative log density of the noisy colours, less the reward."""
        y, _ = batch
        found: Belief = network.belief(y)  # type: ignore[operator]
        away = y.permute(0, 2, 3, 1).to(found.mean.dtype) - found.mean
        surprise = -log_density(away, found.of_noisy).mean()
        # Above the range of the images a reward would outweigh any surprise.
        level = found.noise.sqrt().clamp(max=1).mean()
        return (surprise - self.reward * level).float()


def log_density(away: Tensor, covariance: Tensor) -> Tensor:
    """Return the log density of normal vectors; not finite where there is none.

    Distributions of PyTorch raise there, where a training is to skip the step.

    Parameters
    ----------
    away
        From the mean, (..., C).
    covariance
        (..., C, C).
    """
    factor, _ = torch.linalg.cholesky_ex(covariance)
    scaled = torch.linalg.solve_triangular(factor, away[..., None], upper=False)
    log_volume = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    size = away.shape[-1] * math.log(2 * math.pi)
    return -(scaled.square().sum((-2, -1)) + size) / 2 - log_volume
