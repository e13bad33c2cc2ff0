"""NAFNet (Chen et al., "Simple Baselines for Image Restoration", ECCV 2022).

Parameter names are those of the published models, so that their weights load.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CELLS_PER_WINDOW = 5


class LayerNorm2d(nn.Module):
    """Normalises each pixel over its channels; (N, C, H, W) in and out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        # In channels-last memory the permutes are free and the fused kernel applies.
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, x.shape[-1:], self.weight, self.bias, eps=1e-6)
        return x.permute(0, 3, 1, 2)


def _gate(x: Tensor) -> Tensor:
    """SimpleGate: the product of the two halves of the channels."""
    a, b = x.chunk(2, dim=1)
    return a * b


def _local_mean(x: Tensor, cell: int) -> Tensor:
    """Mean over a window of 5x5 cells of ``cell`` pixels, one value a cell."""
    cells = F.avg_pool2d(x, cell, ceil_mode=True, count_include_pad=False)
    return F.avg_pool2d(
        cells,
        CELLS_PER_WINDOW,
        stride=1,
        padding=CELLS_PER_WINDOW // 2,
        count_include_pad=False,
    )


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


class NAFNet(nn.Module):
    """A U-shaped stack of NAF blocks with a global residual.

    Parameters
    ----------
    channels
        Colours of the image: 3, or 1 for grey.
    extra_channels
        Input channels besides the colours (the mask, if it is shown).
    width
        Features at full resolution; doubled by each level.
    encoder, decoder
        Blocks at each level, finest first in ``encoder``, coarsest first in
        ``decoder``; equally many levels. Published SIDD model: [2, 2, 4, 8] and
        [2, 2, 2, 2], ``middle`` 12.
    middle
        Blocks at the coarsest resolution.
    fold
        The input's ``fold`` x ``fold`` pixels become channels first, and are
        unfolded at the end: the same receptive field at a fraction of the cost.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 32,
        encoder: tuple[int, ...] = (2, 2, 4, 8),
        middle: int = 12,
        decoder: tuple[int, ...] = (2, 2, 2, 2),
        fold: int = 1,
    ) -> None:
        super().__init__()
        if len(encoder) != len(decoder):
            raise ValueError("encoder and decoder need equally many levels")
        self.channels, self.fold = channels, fold
        inputs = (channels + extra_channels) * fold**2
        self.intro = nn.Conv2d(inputs, width, 3, padding=1)
        self.ending = nn.Conv2d(width, channels * fold**2, 3, padding=1)
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
        self.stride = fold * 2 ** len(encoder)
        self.cell_px: int | None = None

    def _levels(self) -> list[tuple[nn.Sequential, int]]:
        """Each stack of blocks with the pixels that one of its features spans."""
        depth = len(self.encoders)
        scales = [self.fold * 2**level for level in range(depth + 1)]
        return [
            *zip(self.encoders, scales, strict=False),
            (self.middle_blks, scales[depth]),
            *zip(self.decoders, reversed(scales[:depth]), strict=True),
        ]

    def set_patch(self, patch: int | None) -> None:
        """Take the attention's means over 2.5 training patches, or the whole image.

        Training sees means over patches; means over a much larger image are
        another distribution (Chu et al., "Improving Image Restoration by
        Revisiting Global Information Aggregation", ECCV 2022), and would make
        the result depend on how an image is cut into tiles.
        """
        self.cell_px = None
        if patch is not None:
            self.cell_px = self.stride * max(1, patch // (2 * self.stride))
        for stack, scale in self._levels():
            for block in stack:
                block.cell = None if self.cell_px is None else self.cell_px // scale

    @property
    def margin(self) -> int:
        """Pixels around an output pixel that its value mostly depends on."""
        reach = 2 * self.fold + sum(len(s) * scale for s, scale in self._levels())
        return reach + CELLS_PER_WINDOW * (self.cell_px or 0) // 2

    @property
    def alignment(self) -> int:
        """Tiles that start at multiples of this see the grid of the whole image."""
        return self.cell_px or self.stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C + extra, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.stride, 0, -height % self.stride))
        residual = x[:, : self.channels]
        x = self.intro(F.pixel_unshuffle(x, self.fold) if self.fold > 1 else x)
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            x = encoder(x)
            skips.append(x)
            x = down(x)
        x = self.middle_blks(x)
        for decoder, up in zip(self.decoders, self.ups, strict=True):
            x = decoder(up(x) + skips.pop())
        x = self.ending(x)
        x = F.pixel_shuffle(x, self.fold) if self.fold > 1 else x
        return (x + residual)[..., :height, :width]
