"""C2N (Jang et al., "C2N: Practical Generative Noise Modeling", ICCV 2021).

A generator adds noise to clean images, until a critic cannot tell them from noisy
images of other scenes. Then a plain network learns to take such noise away again. The
strength of the noise is drawn freely, so no noisy image need have been met exactly.

The published code has no training: learning rate, length, crops and the weight of the
penalty are ours, the critic learns once for each step of the generator, its score of an
image is as in ``adversary.score``, and the generator's first noise is faint. "Batch
zero mean" is here the mean absolute value of each colour's mean over the batch.

Where images are few and steps, too, their scenes tell the critic more than their noise.
The option ``detail``, which is not the paper's, shows it only what differs from the
mean around; then ``zero_mean`` alone holds the noise's own mean: set it to 10. In a step,
critic and generator see the same draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mid_core.losses import ERRORS, Batch, Turn
from mid_core.methods.adversary import (
    BETAS,
    Adversaries,
    critic_loss,
    score,
    unlearning,
)
from mid_core.methods.stage import Drawing, Stage
from mid_core.methods.unpaired import Draws, UnpairedCrops
from mid_core.networks import weights_from
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.noise_generator import NoiseCritic
from mid_core.patches import PatchSampler, Pool

LABEL = "C2N + DnCNN"
FAMILY = "unpaired"
STAGES = """
generator:
  does: c2n.Generator
  sees: [noisy, clean]
  options: {critic_width: 64, critic_blocks: 6, detail: false, penalty: 10.0, zero_mean: 0.01}
  network: {name: noise_generator, width: 64, blocks: 5, independent: 3, dependent: 2, latent: 32}
  training: {iterations: 100000, batch_size: 24, patch_size: 96, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
denoiser:
  does: c2n.Generated
  sees: [clean, before]
  options: {error: l1}
  network: {name: dncnn, width: 64, depth: 20, norm: batch}
  training: {iterations: 200000, batch_size: 24, patch_size: 96, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
"""


@dataclass(frozen=True)
class Generator(Stage):
    """A generator learns to make clean crops look like noisy ones.

    Attributes
    ----------
    critic_width, critic_blocks, detail
        Of the ``NoiseCritic``.
    penalty, zero_mean
        Weights: of the critic's gradient penalty, and of the mean of the noise.
    """

    critic_width: int = 64
    critic_blocks: int = 6
    detail: bool = False
    penalty: float = 10.0
    zero_mean: float = 0.01

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return noisy crops, clean ones, and seeds."""
        return UnpairedCrops(pools["clean"], pools["noisy"], *how)

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the generator and its critic."""
        generator = super().build(network, channels, seed)
        with weights_from([*seed, 1]):
            own = self.critic_width, self.critic_blocks, self.detail
            critic = NoiseCritic(channels, *own)
        critic.to(memory_format=torch.channels_last)
        return Adversaries({"generator": generator}, critic)

    def turns(self) -> list[Turn]:
        """Return the critic, and then the generator."""
        return [
            Turn("critic", self.critic_loss, BETAS),
            Turn("makers", self.generator_loss, BETAS),
        ]

    def critic_loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return what the critic lowers; see ``adversary.critic_loss``."""
        y, x, seeds = batch
        draws = Draws(seeds, x.device)
        with torch.no_grad():
            fake = generated(network.makers["generator"], x, draws)
        return critic_loss(network.critic, y, fake, draws, self.penalty)

    def generator_loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return -E[D(fake)], and how far the noise's mean is from none."""
        _, x, seeds = batch
        fake = generated(network.makers["generator"], x, Draws(seeds, x.device))
        mean = (fake - x).mean(dim=(0, 2, 3)).abs().mean()
        deceived = score(partial(unlearning, network.critic), fake).mean()
        return self.zero_mean * mean - deceived

    def trained(self, network: nn.Module) -> Denoiser:
        """Return the generator."""
        return network.makers["generator"]  # type: ignore[return-value, index]


@dataclass(frozen=True)
class Generated(Stage):
    """A network learns clean crops from themselves with generated noise.

    Attributes
    ----------
    error
        Between prediction and truth: a name of ``losses.ERRORS``.
    """

    error: str = "l1"

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return clean crops, and seeds."""
        return UnpairedCrops(pools["clean"], None, *how)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the error of the prediction, over all pixels."""
        _, x, seeds = batch
        with torch.no_grad():
            y = generated(self.before, x, Draws(seeds, x.device))
        return ERRORS[self.error](network(y).float(), x)


def generated(generator: nn.Module | None, x: Tensor, draws: Draws) -> Tensor:
    """Return clean images with random noise of the generator, as float32."""
    return generator.noisy(x, draws.normal, draws.uniform).float()  # type: ignore[union-attr, operator]
