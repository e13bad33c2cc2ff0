"""SCPGabNet: two adversarial branches that help each other (Lin et al., ICCV 2023).

"Unsupervised Image Denoising in Real-World Scenarios via Self-Collaboration Parallel
Generative Adversarial Branches". A generator puts the noise of noisy images on clean
ones, until a critic cannot tell these from noisy images; a denoiser learns to take it
off again. At first the generator sees the noisy image itself. In each later round it
sees only what the denoiser of the round before takes out of it, and that denoiser also
teaches the new one.

The authors switch between these by hand: they edit the code, start again from the best
of many checkpoints, about eight times, and users saw it diverge. Here nothing is done
by hand, and this keeps it stable: a round is a training of its own with generator and
critic afresh, as the authors advise, while the denoiser goes on; what it hands on is
the running mean of its weights; rates fall by a cosine; Adam keeps less of past
gradients (0.5, and 0.9 of their squares); the norm of gradients is bounded; and so is
the logarithm of a similarity, which would be none where that is negative. There are
three rounds of 100,000 steps (the authors' code: 400 passes of 2,000), and always the
last counts.

The paper's denoiser is DeamNet; here it is a U-Net, as any may be. In the published
code the generator's loss also moves the denoiser through its estimate; here not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.errors import MidError
from mid_core.losses import Batch, Turn
from mid_core.methods.adversary import BETAS, Adversaries, unlearning
from mid_core.methods.ssim import dissimilarity
from mid_core.methods.stage import Drawing, Stage, begin_with
from mid_core.methods.unpaired import UnpairedCrops
from mid_core.networks import weights_from
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import gaussian_blur
from mid_core.networks.noise_transfer import NoiseTransfer, PatchCritic
from mid_core.patches import PatchSampler, Pool

LABEL = "SCPGabNet"
FAMILY = "unpaired"
STAGES = """
first:
  does: scpgabnet.First
  sees: [noisy, clean]
  options: {generator_width: 64, generator_blocks: 6, critic_width: 64, critic_layers: 3, blur_weight: 6.0}
  network: {name: unet, width: 32, depth: 4, residual: true}
  training: {iterations: 100000, batch_size: 12, patch_size: 128, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 1}
second:
  does: scpgabnet.Collaboration
  sees: [noisy, clean, before]
  options: {generator_width: 64, generator_blocks: 6, critic_width: 64, critic_layers: 3, blur_weight: 6.0}
  network: {name: unet, width: 32, depth: 4, residual: true}
  training: {iterations: 100000, batch_size: 12, patch_size: 128, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 1}
third:
  does: scpgabnet.Collaboration
  sees: [noisy, clean, before]
  options: {generator_width: 64, generator_blocks: 6, critic_width: 64, critic_layers: 3, blur_weight: 6.0}
  network: {name: unet, width: 32, depth: 4, residual: true}
  training: {iterations: 100000, batch_size: 12, patch_size: 128, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 1}
"""

# Sides of the windows under which noise is to vanish, and what each counts.
BLURS = {3: 0.01, 9: 0.1, 15: 1.0}
BLUR_SIGMA = 25.0


@dataclass(frozen=True)
class First(Stage):
    """Generator, critic and denoiser learn at once; the noise comes from noisy crops.

    Attributes
    ----------
    generator_width, generator_blocks
        Of the ``NoiseTransfer``.
    critic_width, critic_layers
        Of the ``PatchCritic``.
    blur_weight
        Of the difference between blurred images that noise has been put on, and not.
    """

    generator_width: int = 64
    generator_blocks: int = 6
    critic_width: int = 64
    critic_layers: int = 3
    blur_weight: float = 6.0

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return noisy crops and clean ones.

        Raises
        ------
        MidError
            If crops are too small for the critic.
        """
        least = 3 * 2**self.critic_layers
        if how.patch_size < least:
            raise MidError(
                f"training.patch_size is {how.patch_size}, too small for a critic of "
                f"{self.critic_layers} layers: set it to {least} or more, or lower "
                "options.critic_layers"
            )
        return UnpairedCrops(pools["clean"], pools["noisy"], *how)

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the denoiser with a generator and a critic."""
        denoiser = super().build(network, channels, seed)
        with weights_from([*seed, 1]):
            own = self.generator_width, self.generator_blocks
            generator = NoiseTransfer(channels, *own)
            critic = PatchCritic(channels, self.critic_width, self.critic_layers)
        both = Adversaries({"denoiser": denoiser, "generator": generator}, critic)
        return both.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def turns(self) -> list[Turn]:
        """Return generator and denoiser together, which share no weights; the critic."""
        return [
            Turn("makers", self.makers_loss, BETAS),
            Turn("critic", self.critic_loss, BETAS),
        ]

    def noise_of(self, y: Tensor) -> Tensor:
        """Return what shows the generator the noise of noisy crops."""
        return y

    def makers_loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return what generator and denoiser lower."""
        y, x, _ = batch
        denoiser, generator = _makers(network)
        fake = generator(x, self.noise_of(y)).float()
        deceived = ((unlearning(network.critic, fake).float() - 1) ** 2).mean()
        restored = denoiser(fake.detach()).float()
        own = deceived + self.blur_weight * blur_difference(x, fake)
        return own + unlikeness(restored, x) + self.more(network, y, fake, restored)

    def more(
        self, network: nn.Module, y: Tensor, fake: Tensor, restored: Tensor
    ) -> Tensor:
        """Return what later rounds lower besides."""
        return torch.zeros((), device=y.device)

    def critic_loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return half the mean squared errors to 1, of noisy crops, and to 0."""
        y, x, _ = batch
        with torch.no_grad():
            fake = _makers(network)[1](x, self.noise_of(y)).float()
        real, made = (network.critic(one).float() for one in (y, fake))  # type: ignore[operator]
        return 0.5 * (((real - 1) ** 2).mean() + (made**2).mean())

    def trained(self, network: nn.Module) -> Denoiser:
        """Return the denoiser."""
        return network.makers["denoiser"]  # type: ignore[return-value, index]


@dataclass(frozen=True)
class Collaboration(First):
    """The denoiser before takes the noise out of noisy crops, and teaches the new one."""

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the denoiser before, to go on, with generator and critic afresh.

        Raises
        ------
        MidError
            If it has another shape.
        """
        own = super().build(network, channels, seed)
        begin_with(own.makers["denoiser"], self.before)  # type: ignore[index, arg-type]
        return own

    @torch.no_grad()
    def noise_of(self, y: Tensor) -> Tensor:
        """Return what the denoiser before takes out of noisy crops."""
        return y - self.before(y).float()  # type: ignore[misc, no-any-return]

    def more(
        self, network: nn.Module, y: Tensor, fake: Tensor, restored: Tensor
    ) -> Tensor:
        """Return how far noise changes blurred estimates, and both lessons' errors."""
        with torch.no_grad():
            lesson, of_fake = self.before(y).float(), self.before(fake).float()  # type: ignore[misc]
        denoiser, generator = _makers(network)
        estimate = denoiser(y).float()
        still = estimate.detach()
        noisy_again = generator(still, y - lesson).float()
        own = self.blur_weight * blur_difference(still, noisy_again)
        return own + unlikeness(estimate, lesson) + unlikeness(restored, of_fake)


def _makers(network: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Return the denoiser and the generator."""
    makers = network.makers
    return makers["denoiser"], makers["generator"]  # type: ignore[index]


def unlikeness(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean absolute error, plus -log10 of the structural similarity."""
    return F.l1_loss(a, b) + dissimilarity(a, b)


def blur_difference(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean absolute differences of blurred images, the widest most of all.

    Examples
    --------
    >>> black = torch.zeros(1, 1, 4, 5)
    >>> round(blur_difference(black, black + 0.5).item(), 3)
    0.555
    """
    difference = a - b
    parts = [
        weight * gaussian_blur(difference, side, BLUR_SIGMA).abs().mean()
        for side, weight in BLURS.items()
    ]
    return torch.stack(parts).sum()
