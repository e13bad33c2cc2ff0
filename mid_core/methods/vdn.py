"""VDN on real pairs (Yue et al., "Variational Denoising Network", NeurIPS 2019).

The clean image z and the noise's variance s^2 are both unknown, and from the noisy image
y one network says what z may be, another one what s^2 may be. The truth x of a pair
gives priors, in each pixel:

    y ~ N(z, s^2),  z ~ N(x, prior_variance),  s^2 ~ IG(p^2/2 - 1, p^2 xi/2),

where IG is the inverse gamma distribution, and xi the mean of (y - x)^2 in a window of
p x p pixels. Both networks learn at once, by the evidence lower bound. To denoise takes
the first network alone: its mean of z.

Differences from the published code: the gradients of both networks are clipped
together, at a fixed norm, and not each at its mean norm so far; a cosine schedule
instead of halving; the variance of z, and the first number of that of s^2, start at
those of their priors.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.crops import PairedCrops
from mid_core.methods.stage import Drawing, Stage
from mid_core.networks import weights_from
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import gaussian_blur
from mid_core.networks.variational_unet import VariationalUNet, variance_network
from mid_core.patches import PatchSampler, Pool

LABEL = "VDN"
FAMILY = "supervised"
STAGES = """
network:
  does: vdn.Variational
  sees: [pairs]
  options: {prior_variance: 1.0e-6, window: 7, variance_width: 64}
  network: {name: variational_unet, width: 64, depth: 3}
  training: {iterations: 300000, batch_size: 64, patch_size: 128, learning_rate: 2.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 10000}
"""

# Bounds of variances, and of alpha and beta; of the window's mean; its Gaussian's width.
SMALLEST, LARGEST = 1e-8, 1e4
SMALLEST_SQUARE = 1e-10
WINDOW_SIGMA_PX = 3.0


class Belief(NamedTuple):
    """What the networks say of a noisy image; (N, C, H, W) each.

    Attributes
    ----------
    mean, variance
        Of the clean values, a normal distribution: mu and m^2.
    alpha, beta
        Of the noise's variance, an inverse gamma distribution.
    """

    mean: Tensor
    variance: Tensor
    alpha: Tensor
    beta: Tensor


class Both(nn.Module):
    """The two networks; (N, C, H, W) in [0, 1] to a ``Belief``."""

    def __init__(self, denoiser: VariationalUNet, variance: nn.Module) -> None:
        super().__init__()
        self.denoiser, self.variance = denoiser, variance

    def forward(self, y: Tensor) -> Belief:
        mean, log_variance = self.denoiser.posterior(y)
        logs = log_variance, *self.variance(y).chunk(2, dim=1)
        bounds = math.log(SMALLEST), math.log(LARGEST)
        return Belief(mean.float(), *(log.float().clamp(*bounds).exp() for log in logs))


@dataclass(frozen=True)
class Variational(Stage):
    """Two networks learn what the clean image and the noise's variance may be.

    Attributes
    ----------
    prior_variance
        eps0^2: how far the clean image may be from the truth of the pair. The paper's
        is 1e-6 for real pairs; towards 0 the loss becomes the mean squared error.
    window
        p, the side in pixels of the window in which the noise's variance is measured;
        odd.
    variance_width
        Features of the network of the variance.
    """

    prior_variance: float = 1e-6
    window: int = 7
    variance_width: int = 64

    @property
    def prior_alpha(self) -> float:
        """Of the noise's variance: how many pixels tell of it, half of them."""
        return self.window**2 / 2 - 1

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return crops of noisy images with their truths."""
        return PairedCrops(pools["noisy"], pools["truth"], *how)

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return both networks, freshly initialised, but for what starts at the prior."""
        denoiser = super().build(network, channels, seed)
        with weights_from([*seed, 1]):
            variance = variance_network(channels, self.variance_width)
        # Far from it they would decide about all first steps, and Adam remembers those.
        with torch.no_grad():
            denoiser.ending.weight[channels:] = 0  # type: ignore[operator]
            denoiser.ending.bias[channels:] = math.log(self.prior_variance)  # type: ignore[operator]
            variance[1].bias[:channels] = math.log(self.prior_alpha)  # type: ignore[operator]
        both = Both(denoiser, variance)  # type: ignore[arg-type]
        return both.to(memory_format=torch.channels_last)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the negative evidence lower bound, mean of pixels and colours."""
        y, x = batch
        found: Belief = network(y)
        square = local_mean((y - x) ** 2, self.window)
        alpha = torch.full_like(square, self.prior_alpha)
        beta = self.window**2 / 2 * square
        clean = kl_of_normals(found.mean, found.variance, x, self.prior_variance)
        noise = kl_of_inverse_gammas(found.alpha, found.beta, alpha, beta)
        return (expected_surprise(y, found) + clean + noise).mean()

    def trained(self, network: nn.Module) -> Denoiser:
        """Return the network of the clean image."""
        return network.denoiser  # type: ignore[return-value]


def expected_surprise(y: Tensor, belief: Belief) -> Tensor:
    """Return the mean of -log N(y; z, s^2) over what is believed of z and s^2.

    Examples
    --------
    >>> one = torch.ones(1)
    >>> sure = Belief(mean=one, variance=0 * one, alpha=1e4 * one, beta=1e4 * one)
    >>> round(expected_surprise(one, sure).item(), 3)  # log(2 pi) / 2
    0.919
    """
    squares = (y - belief.mean) ** 2 + belief.variance
    log_variance = belief.beta.log() - torch.digamma(belief.alpha)
    precision = belief.alpha / belief.beta
    return 0.5 * (math.log(2 * math.pi) + log_variance + squares * precision)


def kl_of_normals(
    mean: Tensor, variance: Tensor, prior_mean: Tensor, prior_variance: float
) -> Tensor:
    """Return the divergence KL(N(mean, variance) || N(prior_mean, prior_variance))."""
    ratio = variance / prior_variance
    distance = (mean - prior_mean) ** 2 / prior_variance
    return 0.5 * (distance + ratio - 1 - ratio.log())


def kl_of_inverse_gammas(
    alpha: Tensor, beta: Tensor, prior_alpha: Tensor, prior_beta: Tensor
) -> Tensor:
    """Return the divergence KL(IG(alpha, beta) || IG(prior_alpha, prior_beta))."""
    return (
        (alpha - prior_alpha) * torch.digamma(alpha)
        + torch.lgamma(prior_alpha)
        - torch.lgamma(alpha)
        + prior_alpha * (beta.log() - prior_beta.log())
        + alpha * (prior_beta / beta - 1)
    )


def local_mean(squares: Tensor, window: int) -> Tensor:
    """Return the mean around each pixel, weighted by a Gaussian; at least 1e-10.

    Parameters
    ----------
    squares
        (N, C, H, W), squared differences; reflected at the border.
    window
        Its side in pixels, odd.

    Examples
    --------
    >>> local_mean(torch.full((1, 1, 5, 9), 4.0), 7).round(decimals=4).unique().tolist()
    [4.0]
    """
    mean = gaussian_blur(squares, window, WINDOW_SIGMA_PX, beyond="reflect")
    return mean.clamp(min=SMALLEST_SQUARE)
