"""PN2V's network: samples of what each pixel may be, and a model of the noise.

Krull et al., "Probabilistic Noise2Void", Frontiers in Computer Science 2020, with the
noise model of Prakash et al., "Fully Unsupervised Probabilistic Noise2Void", ISBI 2020.
"""

import math

import torch
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.unet import UNet

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 64, examples: [4], description: "Features at the finest level, doubled by each."}
depth: {type: integer, minimum: 1, maximum: 10, default: 2, examples: [1], description: Halvings of the resolution.}
samples: {type: integer, minimum: 1, maximum: 1000, default: 800, examples: [5], description: "Samples of each colour of a pixel."}
components: {type: integer, minimum: 1, maximum: 100, default: 3, examples: [2], description: Gaussians of the noise model.}
"""

# Smallest standard deviation of a Gaussian: half a grey level of 255.
SMALLEST_STD = 0.5 / 255
# Where the standard deviations of a fresh model begin and end.
FRESH_STD = 0.01, 0.1
# Rows of an answer that are made at a time: all samples of a picture are too many.
BAND = 8


class NoiseMixture(nn.Module):
    """The density p(y | x) of noisy values, a mixture of Gaussians, of one colour.

    In the signal x, which counts as 0 below 0 and as 1 above 1 here, the offsets and the
    logarithms of the weights are linear, and the variances as well, rising. The mean
    of the mixture is x.

    Parameters
    ----------
    components
        How many Gaussians.
    """

    def __init__(self, components: int = 3) -> None:
        super().__init__()
        first, last = (2 * math.log(std) for std in FRESH_STD)
        own = torch.linspace(first, last, components)
        # A constant, and what is added at a signal of 1.
        self.log_variances = nn.Parameter(torch.stack([own, own], dim=1))
        self.offsets = nn.Parameter(torch.zeros(components, 2))
        self.weights = nn.Parameter(torch.zeros(components, 2))

    def log_density(self, y: Tensor, x: Tensor) -> Tensor:
        """Return log p(y | x), elementwise; y and x of shapes that broadcast."""
        signal = x.clamp(0, 1)[..., None]
        log_weights = _linear(self.weights, signal).log_softmax(dim=-1)
        offsets = _linear(self.offsets, signal)
        offsets = offsets - (log_weights.exp() * offsets).sum(dim=-1, keepdim=True)
        variances = _linear(self.log_variances.exp(), signal) + SMALLEST_STD**2
        squares = ((y - x)[..., None] - offsets) ** 2 / variances
        logs = -0.5 * (squares + (2 * math.pi * variances).log())
        return torch.logsumexp(log_weights + logs, dim=-1)


def _linear(coefficients: Tensor, signal: Tensor) -> Tensor:
    return coefficients[:, 0] + coefficients[:, 1] * signal


class SampledUNet(Denoiser):
    """A U-Net that draws samples; the estimate is their mean, weighed by the noise model.

    Parameters
    ----------
    channels, extra_channels
        See ``Denoiser``. Colours have samples and noise models of their own.
    width, depth
        Of the ``UNet``; published with 64 and 2.
    samples
        K, of each colour of a pixel.
    components
        Gaussians of a ``NoiseMixture``.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 64,
        depth: int = 2,
        samples: int = 800,
        components: int = 3,
    ) -> None:
        super().__init__(channels, extra_channels, 1, depth, residual=False)
        self.features = UNet(channels, extra_channels, width, depth)
        self.features.ending = nn.Identity()
        self.endings = nn.ModuleList(nn.Linear(width, samples) for _ in range(channels))
        # Samples begin spread over the range of values.
        for ending in self.endings:
            nn.init.uniform_(ending.bias)
        self.noise = nn.ModuleList(NoiseMixture(components) for _ in range(channels))

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at."""
        return self.features.receptive_field_radius

    def samples(self, features: Tensor, colour: int) -> Tensor:
        """Map features (..., width) to samples of a colour, (..., K) in float32."""
        return self.endings[colour](features).float()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C + extra, H, W) in [0, 1] to the posterior mean (N, C, H, W)."""
        bands = self.features(x).split(BAND, dim=2), x.split(BAND, dim=2)
        means = [self._mean(*band) for band in zip(*bands, strict=True)]
        return torch.cat(means, dim=2)

    def _mean(self, features: Tensor, y: Tensor) -> Tensor:
        found, last = [], features.permute(0, 2, 3, 1)
        for colour, noise in enumerate(self.noise):
            drawn = self.samples(last, colour)
            own = y[:, colour, ..., None].float()
            likely = noise.log_density(own, drawn)  # type: ignore[operator]
            found.append((likely.softmax(dim=-1) * drawn).sum(dim=-1))
        return torch.stack(found, dim=1)
