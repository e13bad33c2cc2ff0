"""The noise generator and the patch critic of SCPGabNet (Lin et al., ICCV 2023).

Neither becomes a model file: they are there while a denoiser learns.
"""

import torch
from torch import Tensor, nn

from mid_core.networks.layers import gaussian_blur

SLOPE = 0.2
# Standard deviation of the initial weights.
SPREAD = 0.02
# Gaussian blur whose result the critic sees taken off: side and width in pixels.
BLUR_SIDE, BLUR_SIGMA = 15, 9.0


class NoiseTransfer(nn.Module):
    """Puts the noise of one image on another.

    The published one also has attention layers, which it does not use.

    Parameters
    ----------
    channels
        Colours of the images.
    width
        Features; 64 in the paper.
    blocks
        Residual blocks; 6 in the paper.
    """

    def __init__(self, channels: int, width: int = 64, blocks: int = 6) -> None:
        super().__init__()
        self.content = nn.Conv2d(channels, channels, 7, padding=3)
        self.intro = nn.Conv2d(2 * channels, width, 7, padding=3)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1),
                nn.LeakyReLU(SLOPE),
                nn.Conv2d(width, width, 3, padding=1),
                nn.LeakyReLU(SLOPE),
            )
            for _ in range(blocks)
        )
        self.ending = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.Conv2d(width, width, 3, padding=1),
            nn.Conv2d(width, channels, 7, padding=3),
        )
        _normal(self)

    def forward(self, x: Tensor, carrier: Tensor) -> Tensor:
        """Return ``x`` with noise like that of ``carrier``; all (N, C, H, W).

        The carrier is a noisy image, or what a denoiser took out of one. What a
        convolution finds of it again is content, and is taken off.
        """
        noise = carrier - self.content(carrier)
        z = self.intro(torch.cat([x, noise], dim=1))
        for block in self.blocks:
            z = z + block(z)
        return x + self.ending(z)


class PatchCritic(nn.Module):
    """Tells noisy images from generated ones, a patch at a time (PatchGAN).

    It sees the image, and the image without its Gaussian blur.

    Parameters
    ----------
    channels
        Colours of the images.
    width
        Features of the first layer, doubled by each; 64 in the paper: 2,767,809
        parameters for three colours with ``layers`` 3.
    layers
        Layers that halve the resolution.
    """

    def __init__(self, channels: int, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        widths = [min(2**i, 8) * width for i in range(layers + 1)]
        parts: list[nn.Module] = [nn.Conv2d(2 * channels, width, 4, 2, 1)]
        parts.append(nn.LeakyReLU(SLOPE))
        for i in range(1, layers + 1):
            stride = 2 if i < layers else 1
            parts.append(nn.Conv2d(widths[i - 1], widths[i], 4, stride, 1))
            parts += [nn.InstanceNorm2d(widths[i]), nn.LeakyReLU(SLOPE)]
        parts.append(nn.Conv2d(widths[-1], 1, 4, 1, 1))
        self.layers = nn.Sequential(*parts)
        _normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to a map (N, 1, h, w): towards 1 where it looks real."""
        detail = x - gaussian_blur(x, BLUR_SIDE, BLUR_SIGMA)
        return self.layers(torch.cat([x, detail], dim=1))


def _normal(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, 0.0, SPREAD)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
