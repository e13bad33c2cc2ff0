"""Wu et al., "Unpaired Learning of Deep Image Denoising", ECCV 2020.

First noisy images alone: a blind-spot network learns the mean of each pixel, then two
small networks learn by likelihood how wrong it is and how strong the noise is there,
then all learn together. Their estimate and the noise they found teach a plain network:
on noisy images the estimate, on clean ones with such noise the clean image.

The noise is taken as independent from pixel to pixel, and here from colour to colour;
its level depends on the brightness. That of photographs is correlated: then the mean
copies noise. This is the method's nature.

The paper's student is an MWCNN that was trained on white noise before; here it is a
U-Net from scratch, at a higher learning rate. Learning rates fall by a cosine instead
of in steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.errors import MidError
from mid_core.losses import Batch, Turn
from mid_core.methods.stage import Drawing, Stage, begin_with
from mid_core.methods.unpaired import Draws, UnpairedCrops
from mid_core.patches import PatchSampler, Pool

LABEL = "D-BSN + U-Net (Wu et al.)"
FAMILY = "unpaired"
STAGES = """
mean:
  does: wu.Mean
  sees: [noisy]
  network: {name: dbsn_noise, width: 96, blocks: 8, variance_width: 32}
  training: {iterations: 600000, batch_size: 8, patch_size: 96, learning_rate: 3.0e-4, min_learning_rate: 3.0e-6, max_grad_norm: 0}
variances:
  does: wu.Variances
  sees: [noisy, before]
  options: {constrained: true}
  network: {name: dbsn_noise, width: 96, blocks: 8, variance_width: 32}
  training: {iterations: 300000, batch_size: 8, patch_size: 96, learning_rate: 3.0e-4, min_learning_rate: 3.0e-6, max_grad_norm: 0}
together:
  does: wu.Together
  sees: [noisy, before]
  options: {constrained: true}
  network: {name: dbsn_noise, width: 96, blocks: 8, variance_width: 32}
  training: {iterations: 600000, batch_size: 8, patch_size: 96, learning_rate: 3.0e-5, min_learning_rate: 3.0e-7, max_grad_norm: 1}
student:
  does: wu.Student
  sees: [noisy, clean, before]
  options: {noisy_share: 0.125, noisy_weight: 0.1, spread: 0.1}
  network: {name: unet, width: 64, depth: 4, residual: true}
  training: {iterations: 200000, batch_size: 32, patch_size: 160, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
"""


@dataclass(frozen=True)
class Mean(Stage):
    """A blind-spot network learns each noisy pixel from those around it."""

    def turns(self) -> list[Turn]:
        """Return the blind-spot network: the variances wait."""
        return [Turn("blind", self.loss)]

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean squared error to the noisy pixels."""
        y, target = batch
        _, mean = network.blind(y)  # type: ignore[operator]
        return F.mse_loss(mean.float(), target)


@dataclass(frozen=True)
class Together(Stage):
    """All parts go on from the stage before, by likelihood.

    Attributes
    ----------
    constrained
        Whether the mean's error is taken as small beside the noise; see
        ``negative_log_likelihood``.
    """

    constrained: bool = True

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the network with the weights of the one before.

        Raises
        ------
        MidError
            If the network before has another shape.
        """
        own = super().build(network, channels, seed)
        begin_with(own, self.before)  # type: ignore[arg-type]
        return own

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the negative log-likelihood of the noisy pixels."""
        y, target = batch
        mean, error, noise = network.estimates(y)  # type: ignore[operator]
        return negative_log_likelihood(target, mean, error, noise, self.constrained)


@dataclass(frozen=True)
class Variances(Together):
    """The variances learn by likelihood, while the mean stays as it is."""

    def turns(self) -> list[Turn]:
        """Return the networks of the variances."""
        return [Turn("variances", self.loss)]

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the negative log-likelihood of the noisy pixels."""
        y, target = batch
        with torch.no_grad():
            features, mean = network.blind(y)  # type: ignore[operator]
        error, noise = network.variances(features, mean)  # type: ignore[operator]
        own = mean.float(), error, noise
        return negative_log_likelihood(target, *own, self.constrained)


@dataclass(frozen=True)
class Student(Stage):
    """A plain network learns the estimates, and clean crops with the noise found.

    Attributes
    ----------
    noisy_share, noisy_weight
        Of a batch, the share of noisy crops (one at least), and the weight of their
        error.
    spread
        The noise of each clean crop is up to so much stronger or weaker than found.
    """

    noisy_share: float = 0.125
    noisy_weight: float = 0.1
    spread: float = 0.1

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return noisy crops, clean ones, and seeds.

        Raises
        ------
        MidError
            If a batch has no place for both.
        """
        if not 1 <= self._count(how.batch_size) < how.batch_size:
            raise MidError(
                f"of {how.batch_size} crops a step none is left for noisy or clean "
                "ones: raise training.batch_size, or change options.noisy_share"
            )
        return UnpairedCrops(pools["clean"], pools["noisy"], *how)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the weighted sum of both mean squared errors."""
        y, x, seeds = batch
        count = self._count(len(y))
        y, x, seeds = y[:count], x[count:], seeds[count:]
        with torch.no_grad():
            estimate = self.before(y)  # type: ignore[misc]
            noisy = x + self.noise(x, Draws(seeds, x.device))
        found = network(torch.cat([y, noisy])).float()
        own = self.noisy_weight * F.mse_loss(found[:count], estimate)
        return own + F.mse_loss(found[count:], x)

    def noise(self, x: Tensor, draws: Draws) -> Tensor:
        """Draw noise of the level that was found, for clean images (N, C, H, W)."""
        factor = 1 + self.spread * (2 * draws.uniform(1, 1, 1) - 1)
        level = self.before.level(x)  # type: ignore[union-attr, operator]
        return factor * level * draws.normal(*x.shape[1:])  # type: ignore[no-any-return]

    def _count(self, crops: int) -> int:
        """How many of these crops are noisy ones."""
        return max(1, round(self.noisy_share * crops))


def negative_log_likelihood(
    y: Tensor, mean: Tensor, error: Tensor, noise: Tensor, constrained: bool = True
) -> Tensor:
    """Say how unlikely noisy pixels are, mean over pixels and colours, less a constant.

    Half of (y - mean)^2 / (error + noise) + ln(error + noise). Constrained, the
    logarithm is replaced by what it is where the error is small beside the noise,
    ln(noise) + error / noise, which also keeps it small.

    Parameters
    ----------
    y, mean
        Noisy image, and what was predicted without seeing the pixel.
    error, noise
        Variances: of the mean, and of the noise.
    constrained
        Whether to replace the logarithm.
    """
    total = error + noise
    spread = noise.log() + error / noise if constrained else total.log()
    return 0.5 * ((y - mean) ** 2 / total + spread).mean()
