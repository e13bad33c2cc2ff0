"""D-BSN with estimates of its own error and of the noise (Wu et al., ECCV 2020).

"Unpaired Learning of Deep Image Denoising": a blind-spot network gives a mean, two
small networks of 1x1 convolutions give variances, and Bayes' rule makes of these and
of the noisy pixel itself the estimate.
"""

import torch
from torch import Tensor, nn

from mid_core.networks.dbsn import DILATIONS, CentreMasked, pointwise
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import positive_deviation

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 96, examples: [6], description: Features of each layer.}
blocks: {type: integer, minimum: 0, maximum: 100, default: 8, examples: [1], description: "Blocks of each branch; they reach 2 + 6 x blocks pixels far."}
variance_width: {type: integer, minimum: 1, maximum: 1000, default: 32, examples: [5], description: Features of the networks of the variances.}
"""


class _Block(nn.Module):
    """Three paths, 5x5, 3x3 and 1x1, with holes in their kernels, past a skip."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        paths: list[nn.Module] = [nn.Conv2d(width, width, 1)]
        for reach in (1, 2):
            side, pad = 2 * reach + 1, reach * dilation
            wide = nn.Conv2d(width, width, side, padding=pad, dilation=dilation)
            paths.append(nn.Sequential(nn.Conv2d(width, width, 1), wide))
        self.paths = nn.ModuleList(paths)
        self.merge = nn.Sequential(*pointwise(3 * width, width))
        self.after = nn.Sequential(*pointwise(width, width, width))

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat([path(x) for path in self.paths], dim=1)
        return self.after(x + self.merge(seen))


class _Blind(nn.Module):
    """The blind-spot network: features, and the mean made of them."""

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.intro = nn.Sequential(*pointwise(channels, width))
        self.branches = nn.ModuleList(
            nn.Sequential(
                CentreMasked(width, 2 * dilation - 1),
                *pointwise(width, width, width),
                *(_Block(width, dilation) for _ in range(blocks)),
                nn.Conv2d(width, width, 1),
            )
            for dilation in DILATIONS
        )
        self.merge = nn.Sequential(*pointwise(len(DILATIONS) * width, width))
        self.mean = nn.Sequential(
            *pointwise(width, width, width), nn.Conv2d(width, channels, 1)
        )

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Map the noisy image to features and the mean."""
        x = self.intro(y)
        seen = torch.cat([branch(x) for branch in self.branches], dim=1)
        features = self.merge(seen)
        return features, self.mean(features)


class _Variances(nn.Module):
    """What is expected of the mean's squared error, and of the noise's square."""

    def __init__(self, channels: int, features: int, width: int) -> None:
        super().__init__()
        last = nn.Conv2d(width, channels, 1)
        self.error = nn.Sequential(*pointwise(features, width, width), last)
        hidden = pointwise(channels, width, width, width, width)
        self.noise = nn.Sequential(*hidden, nn.Conv2d(width, channels, 1))

    def forward(self, features: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        """Return both variances, (N, C, H, W); the noise's depends on the mean alone."""
        return positive_deviation(self.error(features).float()) ** 2, self.level(
            mean
        ) ** 2

    def level(self, x: Tensor) -> Tensor:
        """Return the noise's standard deviation on a clean image."""
        return positive_deviation(self.noise(x).float())


class DBSNNoise(Denoiser):
    """A mean that does not see its pixel, and what the noisy pixel adds to it.

    Two branches as in ``DBSN``: the mean sees neither its own pixel nor any whose row
    and column both lie a multiple of 6 away. The estimate sees all.

    Variances are of each colour by itself, the diagonal of the paper's covariances.

    Parameters
    ----------
    channels
        Colours of the image.
    extra_channels
        0: a mask has no place in it.
    width, blocks
        Of the blind-spot network: 6,612,675 parameters in the paper, for three colours.
    variance_width
        Of the networks of the variances.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 96,
        blocks: int = 8,
        variance_width: int = 32,
    ) -> None:
        if extra_channels:
            raise ValueError("it takes no mask as input")
        super().__init__(channels, 0, 1, 0, residual=False)
        self.blocks = blocks
        self.blind = _Blind(channels, width, blocks)
        self.variances = _Variances(channels, width, variance_width)

    @property
    def ending(self) -> nn.Module:
        """The last layer of the mean."""
        return self.blind.mean[-1]  # type: ignore[return-value]

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at."""
        furthest = max(DILATIONS)
        return furthest - 1 + 2 * furthest * self.blocks

    def estimates(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the blind mean, its error's variance, and the noise's variance.

        Each is (N, C, H, W), of images in [0, 1].
        """
        features, mean = self.blind(y)
        # The noise depends on the mean, which is not to follow the noise.
        error, noise = self.variances(features, mean.detach())
        return mean.float(), error, noise

    def level(self, x: Tensor) -> Tensor:
        """Return the noise's standard deviation on a clean image, (N, C, H, W)."""
        return self.variances.level(x)

    def body(self, y: Tensor) -> Tensor:
        """Return the most likely clean image: mean and noisy pixel, by Bayes' rule."""
        mean, error, noise = self.estimates(y)
        return fused(y, mean, error, noise)


def fused(y: Tensor, mean: Tensor, error: Tensor, noise: Tensor) -> Tensor:
    """Weigh a noisy pixel and its mean by how certain each is.

    (error^-1 + noise^-1)^-1 (error^-1 mean + noise^-1 y), all (N, C, H, W).

    Parameters
    ----------
    y, mean
        The noisy image, and what was predicted without seeing the pixel.
    error, noise
        Variances: of the mean, and of the noisy pixel.

    Examples
    --------
    >>> y, mean = torch.tensor(1.0), torch.tensor(0.0)
    >>> round(fused(y, mean, torch.tensor(1.0), torch.tensor(3.0)).item(), 3)
    0.25
    """
    return (error * y + noise * mean) / (error + noise)
