"""The noise generator of C2N (Jang et al., ICCV 2021), and the critic that it deceives.

It adds noise to a clean image: some that depends on the image, some that does not, and
of each a part that is independent from pixel to pixel and one that is not. Not a
network to denoise with.

At the border the image goes on by its last pixels, not by reflection: an image may be
one pixel.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import box_mean

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 500, default: 64, examples: [4], description: Features of its noise; twice as many of the image.}
blocks: {type: integer, minimum: 0, maximum: 100, default: 5, examples: [1], description: Residual blocks of the image's features.}
independent: {type: integer, minimum: 0, maximum: 100, default: 3, examples: [1], description: Residual blocks of the noise that does not depend on the image.}
dependent: {type: integer, minimum: 0, maximum: 100, default: 2, examples: [1], description: Residual blocks of the noise that does.}
latent: {type: integer, minimum: 0, maximum: 500, default: 32, examples: [3], description: "Random numbers of each image, which decide what its noise is like."}
"""

# Of the usual initial weights, what the last layer has.
FIRST = 0.1
# Smallest scale of the noise's features.
SCALE = 1e-6
# Side of the squares whose mean a critic of details does not see, in pixels.
MEAN_PX = 15
# Draws (N, *shape) of random numbers.
Draw = Callable[..., Tensor]


def _conv(inputs: int, outputs: int, side: int = 3, bias: bool = True) -> nn.Conv2d:
    mode = "replicate" if side > 1 else "zeros"
    return nn.Conv2d(
        inputs, outputs, side, padding=side // 2, bias=bias, padding_mode=mode
    )


class _Block(nn.Module):
    """Two convolutions that correct their input."""

    def __init__(self, width: int, side: int, bias: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(width, width, side, bias), nn.PReLU(), _conv(width, width, side, bias)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def _blocks(count: int, width: int, side: int = 3, bias: bool = True) -> nn.Sequential:
    return nn.Sequential(*(_Block(width, side, bias) for _ in range(count)))


class _Pipes(nn.Module):
    """Noise from noise: pixel by pixel, plus correlated by 3x3 convolutions."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.intro = _conv(width, width, 1)
        self.pixelwise = _blocks(count, width, 1, bias=False)
        self.correlated = _blocks(count, width, 3, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        z = self.intro(z)
        return self.pixelwise(z) + self.correlated(z)


class NoiseGenerator(Denoiser):
    """A clean image in, the same with noise on it out.

    Called as a network it adds the noise whose random numbers are all at their means.

    Parameters
    ----------
    channels
        Colours of the image.
    extra_channels
        0: a mask has no place in it.
    width
        64 in the paper: 2,154,068 parameters for three colours.
    blocks, independent, dependent, latent
        See ``KEYS``.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 64,
        blocks: int = 5,
        independent: int = 3,
        dependent: int = 2,
        latent: int = 32,
    ) -> None:
        if extra_channels:
            raise ValueError("it takes no mask as input")
        super().__init__(channels, 0, 1, 0)
        self.width, self.latent = width, latent
        self.intro = nn.Sequential(
            _conv(channels, width), nn.PReLU(), _conv(width, 2 * width)
        )
        self.merge = nn.Sequential(_conv(2 * width + latent, 2 * width), nn.PReLU())
        self.features = _blocks(blocks, 2 * width)
        self.independent = _Pipes(width, independent)
        self.dependent = _Pipes(width, dependent)
        self.ending = _conv(width, channels, 1)
        # At first little noise: what is too much would have to go before it is learnt.
        with torch.no_grad():
            for parameter in self.ending.parameters():
                parameter.mul_(FIRST)
        self._convolutions = 3 + 2 * blocks + 2 * max(independent, dependent)

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at."""
        return self._convolutions

    def body(self, x: Tensor) -> Tensor:
        """Return the noise whose random numbers are at their means."""

        def still(*shape: int) -> Tensor:
            return x.new_zeros(len(x), *shape)

        return self._noise(x, still, lambda *shape: still(*shape) + 0.5)

    def noisy(self, x: Tensor, normal: Draw, uniform: Draw) -> Tensor:
        """Add random noise to a clean image; the sum is not clipped.

        Parameters
        ----------
        x
            (N, C, H, W) in [0, 1].
        normal, uniform
            Draw (N, *shape) of mean 0 and variance 1, and uniform in [0, 1).
        """
        return x + self._noise(x, normal, uniform)

    def _noise(self, x: Tensor, normal: Draw, uniform: Draw) -> Tensor:
        size = x.shape[-2:]
        features = self.intro(x)
        latent = normal(self.latent, 1, 1).expand(-1, -1, *size)
        features = self.features(self.merge(torch.cat([features, latent], dim=1)))
        mean, scale = features.split(self.width, dim=1)
        drawn = mean + (scale.relu() + SCALE) * normal(self.width, *size)
        noise = self.dependent(drawn) + self.independent(uniform(self.width, *size))
        return self.ending(noise)


class NoiseCritic(nn.Module):
    """Tells real noisy images from generated ones: a map (N, 1, H, W) without limits.

    Parameters
    ----------
    channels
        Colours of the image.
    width, blocks
        Features, and residual blocks; the paper's 64 and 6 have 445,512 parameters.
    detail
        Whether it sees what differs from the mean of the 15x15 pixels around, and not
        the image itself, whose scenes differ by more than noise does.
    """

    def __init__(
        self, channels: int, width: int = 64, blocks: int = 6, detail: bool = False
    ) -> None:
        super().__init__()
        self.detail = detail
        self.layers = nn.Sequential(
            _conv(channels, width), nn.PReLU(), _blocks(blocks, width), _conv(width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, 1, H, W), larger where it looks real."""
        return self.layers(x - box_mean(x, MEAN_PX) if self.detail else x)
