"""Restormer (Zamir et al., CVPR 2022): attention between channels, not pixels.

Queries and keys are normalised as in XCiT (El-Nouby et al., NeurIPS 2021), so that the
attention does not grow with the image.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import LayerNorm2d, window_mean

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 2, maximum: 1000, multipleOf: 2, default: 48, examples: [4], description: "Features at the finest level, doubled by each; so are the heads."}
blocks: {type: array, items: {type: integer, minimum: 0, maximum: 1000}, minItems: 2, default: [4, 6, 6, 8], examples: [[1, 1]], description: "Blocks a level, finest first; the way up mirrors the way down."}
refinement: {type: integer, minimum: 0, maximum: 1000, default: 4, examples: [1], description: Blocks after the last level.}
expansion: {type: number, exclusiveMinimum: 0, maximum: 1000, default: 2.66, description: Features of the feed-forward for each of the block's.}
pixel_unshuffle: {$ref: "#/$defs/pixel_unshuffle"}
residual: {$ref: "#/$defs/residual"}
centred: {$ref: "#/$defs/centred"}
"""

EPSILON = 1e-12


def _conv(
    inputs: int, outputs: int, size: int, groups: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """Build a convolution without bias, as all of the paper's are."""
    around = dilation * (size // 2)
    spread = {"padding": around, "dilation": dilation}
    return nn.Conv2d(inputs, outputs, size, groups=groups, bias=False, **spread)


def _to_cells(x: Tensor, cell: tuple[int, int]) -> Tensor:
    """Cut (N, heads, c, H, W) to (N, rows, columns, heads, c, pixels of a cell)."""
    n, heads, c, height, width = x.shape
    high, wide = cell
    x = x.view(n, heads, c, height // high, high, width // wide, wide)
    return x.permute(0, 3, 5, 1, 2, 4, 6).flatten(-2)


def _over_windows(x: Tensor) -> Tensor:
    """Mean of what stands for each cell, (N, rows, columns, ...), over its window."""
    grid = x.flatten(3).permute(0, 3, 1, 2)
    return window_mean(grid).permute(0, 2, 3, 1).view_as(x)


def _mix(weights: Tensor, v: Tensor, cell: int) -> Tensor:
    """Apply each cell's weights around its middle, fading into its neighbours'.

    Weights (N, rows, columns, heads, c, c) and v (N, heads, c, H, W); like v.
    """
    n, rows, columns, heads, c, _ = weights.shape
    size = 2 * cell - cell % 2
    fade = 1 - (torch.arange(size, device=v.device) - (size - 1) / 2).abs() / cell
    fade = torch.outer(fade, fade).flatten().to(v.dtype)
    patches = {"kernel_size": size, "stride": cell, "padding": (size - cell) // 2}
    around = F.unfold(v.flatten(1, 2), **patches).transpose(1, 2)
    mixed = weights @ around.view(n, rows, columns, heads, c, -1) * fade
    mixed = mixed.view(n, rows * columns, -1).transpose(1, 2)
    # At the image's rim some neighbours are missing.
    total = fade.view(1, -1, 1).expand(1, -1, rows * columns)
    mixed, total = (F.fold(t, v.shape[-2:], **patches) for t in (mixed, total))
    return (mixed / total).view_as(v)


class Attention(nn.Module):
    """Multi-Dconv head transposed attention (MDTA)."""

    def __init__(self, channels: int, heads: int, dilation: int = 1) -> None:
        super().__init__()
        c = channels
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Sequential(
            _conv(c, 3 * c, 1), _conv(3 * c, 3 * c, 3, 3 * c, dilation)
        )
        self.out = _conv(c, c, 1)

    def weights(self, q: Tensor, k: Tensor, cell: int | None) -> Tensor:
        """How much each channel takes of each, (N, rows, columns, heads, c, c)."""
        one = q.shape[-2:] if cell is None else (cell, cell)
        q, k = (_to_cells(part, one) for part in (q, k))
        products = q @ k.transpose(-1, -2)
        q2, k2 = (part.float().square().sum(-1, keepdim=True) for part in (q, k))
        if cell is not None:
            products, q2, k2 = map(_over_windows, (products, q2, k2))
        norms = (q2 * k2.transpose(-1, -2)).clamp_min(EPSILON).sqrt()
        return (products / norms * self.temperature).softmax(dim=-1).to(q.dtype)

    def forward(self, x: Tensor, cell: int | None) -> Tensor:
        """Attend within the image, or within the window around each cell."""
        height, width = x.shape[-2:]
        x = self.qkv(x)
        if cell is not None:
            # The padding is zero and has no part in the sums.
            x = F.pad(x, (0, -width % cell, 0, -height % cell))
        q, k, v = x.unflatten(1, (3, self.heads, -1)).unbind(1)
        weights = self.weights(q, k, cell)
        if cell is None:
            x = (weights[:, 0, 0] @ v.flatten(-2)).view_as(v)
        else:
            x = _mix(weights, v, cell)
        return self.out(x.flatten(1, 2)[..., :height, :width])


class FeedForward(nn.Module):
    """Gated-Dconv feed-forward network (GDFN)."""

    def __init__(self, channels: int, expansion: float, dilation: int = 1) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.spread = nn.Sequential(
            _conv(channels, 2 * hidden, 1),
            _conv(2 * hidden, 2 * hidden, 3, 2 * hidden, dilation),
        )
        self.out = _conv(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.spread(x).chunk(2, dim=1)
        return self.out(F.gelu(gate) * value)


class TransformerBlock(nn.Module):
    """Attention between channels and a gated feed-forward, each a residual.

    Its 3x3 convolutions may have holes: ``dilation``.
    """

    def __init__(
        self, channels: int, heads: int, expansion: float, dilation: int = 1
    ) -> None:
        super().__init__()
        self.norm1: nn.Module = LayerNorm2d(channels)
        self.attention = Attention(channels, heads, dilation)
        self.norm2: nn.Module = LayerNorm2d(channels)
        self.feed_forward = FeedForward(channels, expansion, dilation)
        self.cell: int | None = None

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x), self.cell)
        return x + self.feed_forward(self.norm2(x))


class Restormer(Denoiser):
    """A U-shaped stack of transformer blocks.

    Parameters
    ----------
    channels, extra_channels, pixel_unshuffle, residual, centred
        See ``Denoiser``.
    width
        Features at full resolution; doubled by each level, and so are the heads.
    blocks
        Blocks at each level, finest first; the way up mirrors the way down.
    refinement
        Blocks after the last level.
    expansion
        Features of the feed-forward's gate, for each of the block's.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 48,
        blocks: tuple[int, ...] = (4, 6, 6, 8),
        refinement: int = 4,
        expansion: float = 2.66,
        pixel_unshuffle: int = 1,
        residual: bool = True,
        centred: bool = False,
    ) -> None:
        super().__init__(
            channels,
            extra_channels,
            pixel_unshuffle,
            len(blocks) - 1,
            residual,
            centred,
        )
        if len(blocks) < 2:
            raise ValueError("blocks needs two levels or more")

        def stack(count: int, c: int, heads: int) -> nn.Sequential:
            return nn.Sequential(
                *[TransformerBlock(c, heads, expansion) for _ in range(count)]
            )

        self.intro = _conv(self.inputs, width, 3)
        self.encoders, self.downs = nn.ModuleList(), nn.ModuleList()
        self.ups, self.reduces, self.decoders = (nn.ModuleList() for _ in range(3))
        for level, count in enumerate(blocks):
            heads = 2**level
            c = width * heads
            self.encoders.append(stack(count, c, heads))
            if level == len(blocks) - 1:
                break
            self.downs.append(nn.Sequential(_conv(c, c // 2, 3), nn.PixelUnshuffle(2)))
            self.ups.append(nn.Sequential(_conv(2 * c, 4 * c, 3), nn.PixelShuffle(2)))
            # The finest level keeps the features of both sides.
            self.reduces.append(_conv(2 * c, c, 1) if level else nn.Identity())
            self.decoders.append(stack(count, c if level else 2 * c, heads))
        self.refinement = stack(refinement, 2 * width, 1)
        self.ending = _conv(2 * width, self.outputs, 3)

    def stacks(self) -> list[tuple[nn.Sequential, int]]:
        """Each level's blocks, and the unshuffled pixels that a feature spans there."""
        scales = [2**level for level in range(len(self.encoders))]
        return [
            *zip(self.encoders, scales, strict=True),
            *zip(self.decoders, scales, strict=False),
            (self.refinement, 1),
        ]

    @property
    def receptive_field_radius(self) -> int:
        """Unshuffled pixels around one that the convolutions look at."""
        within = sum(2 * len(stack) * scale for stack, scale in self.stacks())
        between = sum(3 * 2**level for level in range(len(self.downs)))
        return 2 + within + between

    def body(self, x: Tensor) -> Tensor:
        """Map the unshuffled input to the unshuffled output."""
        x = self.encoders[0](self.intro(x))
        skips = []
        for down, encoder in zip(self.downs, self.encoders[1:], strict=True):
            skips.append(x)
            x = encoder(down(x))
        ways = zip(self.ups, skips, self.reduces, self.decoders, strict=True)
        for up, skip, reduce, decoder in reversed(list(ways)):
            x = decoder(reduce(torch.cat([up(x), skip], dim=1)))
        return self.ending(self.refinement(x))
