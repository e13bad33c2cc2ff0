"""NAFNet (Chen et al., "Simple Baselines for Image Restoration", ECCV 2022).

Parameter names are those of the published models, so that their weights load.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import CELLS_PER_WINDOW, LayerNorm2d, window_mean

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 32, examples: [8], description: Features at the finest level.}
encoder: {type: array, items: {type: integer, minimum: 0, maximum: 1000}, default: [2, 2, 4, 8], examples: [[1]], description: "Blocks a level, finest first."}
middle: {type: integer, minimum: 0, maximum: 1000, default: 12, examples: [1], description: Blocks at the coarsest level.}
decoder: {type: array, items: {type: integer, minimum: 0, maximum: 1000}, default: [2, 2, 2, 2], examples: [[1]], description: "Blocks a level, coarsest first."}
pixel_unshuffle: {$ref: "#/$defs/pixel_unshuffle"}
residual: {$ref: "#/$defs/residual"}
centred: {$ref: "#/$defs/centred"}
"""


def _gate(x: Tensor) -> Tensor:
    """SimpleGate: the product of the two halves of the channels."""
    a, b = x.chunk(2, dim=1)
    return a * b


def _local_mean(x: Tensor, cell: int) -> Tensor:
    """Mean over a window of 5x5 cells of ``cell`` pixels, one value a cell."""
    cells = F.avg_pool2d(x, cell, ceil_mode=True, count_include_pad=False)
    return window_mean(cells)


class NAFBlock(nn.Module):
    """Gated depthwise convolution, channel attention, gated feed-forward."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        c = channels
        self.norm1 = LayerNorm2d(c)
        self.conv1 = nn.Conv2d(c, 2 * c, 1)
        self.conv2 = nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c)
        self.sca = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, c, 1))
        self.conv3 = nn.Conv2d(c, c, 1)
        self.norm2 = LayerNorm2d(c)
        self.conv4 = nn.Conv2d(c, 2 * c, 1)
        self.conv5 = nn.Conv2d(c, c, 1)
        self.beta = nn.Parameter(torch.zeros(1, c, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, c, 1, 1))
        self.cell: int | None = None

    def attention(self, x: Tensor) -> Tensor:
        """Weights of the channels, from means over the image or a local window."""
        height, width = x.shape[-2:]
        if self.cell is None or CELLS_PER_WINDOW * self.cell >= max(height, width):
            return self.sca(x)
        weights = self.sca[1](_local_mean(x, self.cell))
        weights = F.interpolate(
            weights, scale_factor=self.cell, mode="bilinear", align_corners=False
        )
        return weights[..., :height, :width]

    def forward(self, x: Tensor) -> Tensor:
        z = _gate(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.conv3(z * self.attention(z)) * self.beta
        z = self.conv5(_gate(self.conv4(self.norm2(x))))
        return x + z * self.gamma


def _blocks(count: int, channels: int) -> nn.Sequential:
    return nn.Sequential(*[NAFBlock(channels) for _ in range(count)])


class NAFNet(Denoiser):
    """A U-shaped stack of NAF blocks.

    Parameters
    ----------
    channels, extra_channels, pixel_unshuffle, residual, centred
        See ``Denoiser``; published with the residual.
    width
        Features at full resolution; doubled by each level.
    encoder, decoder
        Blocks at each level, finest first in ``encoder``, coarsest first in
        ``decoder``; equally many levels. Published SIDD model: [2, 2, 4, 8] and
        [2, 2, 2, 2], ``middle`` 12.
    middle
        Blocks at the coarsest resolution.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 32,
        encoder: tuple[int, ...] = (2, 2, 4, 8),
        middle: int = 12,
        decoder: tuple[int, ...] = (2, 2, 2, 2),
        pixel_unshuffle: int = 1,
        residual: bool = True,
        centred: bool = False,
    ) -> None:
        super().__init__(
            channels, extra_channels, pixel_unshuffle, len(encoder), residual, centred
        )
        if len(encoder) != len(decoder):
            raise ValueError("encoder and decoder need equally many levels")
        self.intro = nn.Conv2d(self.inputs, width, 3, padding=1)
        self.ending = nn.Conv2d(width, self.outputs, 3, padding=1)
        self.encoders, self.downs = nn.ModuleList(), nn.ModuleList()
        self.decoders, self.ups = nn.ModuleList(), nn.ModuleList()
        c = width
        for count in encoder:
            self.encoders.append(_blocks(count, c))
            self.downs.append(nn.Conv2d(c, 2 * c, 2, stride=2))
            c *= 2
        self.middle_blks = _blocks(middle, c)
        for count in decoder:
            up = nn.Conv2d(c, 2 * c, 1, bias=False)
            self.ups.append(nn.Sequential(up, nn.PixelShuffle(2)))
            c //= 2
            self.decoders.append(_blocks(count, c))

    def stacks(self) -> list[tuple[nn.Sequential, int]]:
        """Each level's blocks, and the unshuffled pixels that a feature spans there."""
        depth = len(self.encoders)
        scales = [2**level for level in range(depth + 1)]
        return [
            *zip(self.encoders, scales, strict=False),
            (self.middle_blks, scales[depth]),
            *zip(self.decoders, reversed(scales[:depth]), strict=True),
        ]

    @property
    def receptive_field_radius(self) -> int:
        """Unshuffled pixels around one that the convolutions look at."""
        return 2 + sum(len(stack) * scale for stack, scale in self.stacks())

    def body(self, x: Tensor) -> Tensor:
        """Map the unshuffled input to the unshuffled output."""
        x = self.intro(x)
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            x = encoder(x)
            skips.append(x)
            x = down(x)
        x = self.middle_blks(x)
        for decoder, up in zip(self.decoders, self.ups, strict=True):
            x = decoder(up(x) + skips.pop())
        return self.ending(x)
