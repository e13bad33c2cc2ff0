"""LG-BPN: a blind patch, seen around from near and from far (Wang et al., CVPR 2023).

Convolutions whose kernels lack a diamond in the middle look at the image as it is. Only
their features are cut into sub-images, where what follows has steps too long to reach
the hidden pixels again: dilated convolutions near, and far a transformer, whose attention
between channels takes statistics over each sub-image. Those see the hidden pixels too,
as one of many.

In an answer the taps of the kernels move towards the middle, and see closer pixels.
Between pixels they interpolate, linearly along each axis.
"""

from collections.abc import Callable, Sequence
from math import ceil, floor

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.dbsn import Dilated, pointwise
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import CELLS_PER_WINDOW, sub_images, whole_images
from mid_core.networks.restormer import TransformerBlock

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 2, maximum: 1000, multipleOf: 2, default: 128, examples: [8], description: Features of each layer.}
head_width: {type: integer, minimum: 1, maximum: 1000, default: 24, examples: [4], description: Features of the first layer.}
modules: {type: integer, minimum: 0, maximum: 1000, default: 9, examples: [1], description: Residual units of the branch that looks near.}
blocks: {type: integer, minimum: 0, maximum: 1000, default: 6, examples: [1], description: Transformer blocks of the branch that looks far.}
"""

# Pixels |row| + |column| away that no kernel has.
HIDDEN = 4
# Of each branch: taps of its kernel along a side and pixels between two, steps of its
# sub-images' convolutions, and from one pixel of a sub-image to the next in training.
NEAR_TAPS, NEAR_STEP, NEAR_DILATION, NEAR_STRIDE = 9, 1, 2, 4
FAR_TAPS, FAR_STEP, FAR_DILATION, FAR_STRIDE = 11, 2, 3, 5
TRAINED = NEAR_STRIDE, FAR_STRIDE
HEADS, EXPANSION = 2, 2.66


def _on_sub_images(body: Callable[[Tensor], Tensor], x: Tensor, stride: int) -> Tensor:
    """Let a network see each sub-image by itself; zeros are added to fill the grid."""
    height, width = x.shape[-2:]
    x = F.pad(x, (0, -width % stride, 0, -height % stride))
    return whole_images(body(sub_images(x, stride)), stride)[..., :height, :width]


class PatchMasked(nn.Conv2d):
    """A convolution without the taps of a diamond around its centre.

    Those weights exist and are not used; the image goes on as zeros.

    Parameters
    ----------
    inputs, outputs
        Channels.
    taps
        Along a side of the kernel.
    step
        Pixels from one to the next.
    """

    def __init__(self, inputs: int, outputs: int, taps: int, step: int) -> None:
        super().__init__(inputs, outputs, taps)
        self.step = step

    def forward(self, x: Tensor, ratio: float = 1.0) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W), with taps at ``ratio``."""
        kernel = self.weight * self.kept().to(self.weight)
        if ratio == 1:
            # On sub-images: PyTorch takes 100 times as long for a kernel with holes.
            around = {"padding": kernel.shape[-1] // 2}
            return _on_sub_images(
                lambda part: F.conv2d(part, kernel, self.bias, **around), x, self.step
            )
        moves = moved_taps(kernel.shape[-1], self.step * ratio).to(kernel)
        kernel = moves @ kernel @ moves.T
        return F.conv2d(x, kernel, self.bias, padding=kernel.shape[-1] // 2)

    def kept(self) -> Tensor:
        """Return which taps are outside the diamond, booleans."""
        taps = self.kernel_size[0]
        away = self.step * (torch.arange(taps) - taps // 2).abs()
        return away[:, None] + away > HIDDEN


def moved_taps(taps: int, step: float) -> Tensor:
    """Return how much of each tap goes to each pixel, (pixels, taps).

    Parameters
    ----------
    taps
        How many along a side, odd.
    step
        Pixels from one to the next, of any length.

    Examples
    --------
    >>> moved_taps(3, 0.75).tolist()
    [[0.75, 0.0, 0.0], [0.25, 1.0, 0.25], [0.0, 0.0, 0.75]]
    """
    half = taps // 2
    reach = ceil(half * step)
    moves = torch.zeros(2 * reach + 1, taps)
    for tap in range(taps):
        place = (tap - half) * step + reach
        before = floor(place)
        moves[before, tap] = 1 - (place - before)
        if place > before:
            moves[before + 1, tap] = place - before
    return moves


class _ScaleNorm(nn.Module):
    """Divides each pixel by the deviation of its channels: no mean, and no bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x / torch.sqrt(x.var(1, keepdim=True, correction=0) + 1e-5) * self.weight


def _block(width: int) -> TransformerBlock:
    block = TransformerBlock(width, HEADS, EXPANSION, FAR_DILATION)
    block.norm1, block.norm2 = _ScaleNorm(width), _ScaleNorm(width)
    return block


class LGBPN(Denoiser):
    """The two branches. Pixels with |row| + |column| up to 4 are hidden in training.

    Parameters
    ----------
    channels, extra_channels
        See ``Denoiser``; what is seen of extra channels has the same hole.
    width, head_width
        Features of each layer, and of the first.
    modules
        Residual units of the branch that looks near.
    blocks
        Transformer blocks of the branch that looks far.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 128,
        head_width: int = 24,
        modules: int = 9,
        blocks: int = 6,
    ) -> None:
        super().__init__(channels, extra_channels, 1, 0, residual=False)
        self.modules_near, half = modules, width // 2
        self.intro = nn.Sequential(*pointwise(self.inputs, head_width))
        self.near_patch = PatchMasked(head_width, width, NEAR_TAPS, NEAR_STEP)
        self.near = nn.Sequential(
            nn.ReLU(),
            *pointwise(width, width, width),
            *[Dilated(width, NEAR_DILATION) for _ in range(modules)],
            *pointwise(width, width),
        )
        self.far_patch = PatchMasked(head_width, width, FAR_TAPS, FAR_STEP)
        self.far = nn.Sequential(*[_block(width) for _ in range(blocks)])
        spread = {"padding": FAR_DILATION, "dilation": FAR_DILATION, "bias": False}
        self.far_ending = nn.Conv2d(width, width, 3, **spread)
        self.tail = nn.Sequential(*pointwise(2 * width, width, half, half))
        self.ending = nn.Conv2d(half, self.outputs, 1)

    def stacks(self) -> list[tuple[nn.Sequential, int]]:
        """Blocks with statistics, and the pixels that a feature spans there."""
        return [(self.far, FAR_STRIDE)] if len(self.far) else []

    def set_patch_size(self, patch: int | None) -> None:
        """Take statistics over 2.5 of the training's sub-images, or over whole ones."""
        self.cell_px = None
        if patch is not None and self.stacks():
            self.cell_px = FAR_STRIDE * max(1, patch // FAR_STRIDE // 2)
        for block in self.far:
            block.cell = self.cell_px and self.cell_px // FAR_STRIDE  # type: ignore[assignment]

    def reach(self, strides: Sequence[int], ratios: Sequence[float] = (1, 1)) -> int:
        """Pixels around one that it looks at, apart from statistics; see ``forward``."""
        steps = (
            NEAR_DILATION * self.modules_near,
            FAR_DILATION * (2 * len(self.far) + 1),
        )
        kernels = NEAR_TAPS // 2 * NEAR_STEP, FAR_TAPS // 2 * FAR_STEP
        each = zip(steps, strides, kernels, ratios, strict=True)
        return max(
            step * stride + ceil(ratio * kernel) for step, stride, kernel, ratio in each
        )

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that it looks at, as it was trained."""
        return self.reach(TRAINED)

    def margin_of(self, strides: Sequence[int], ratios: Sequence[float]) -> int:
        """Pixels around one that its value mostly depends on; see ``forward``."""
        cell = (self.cell_px or 0) // FAR_STRIDE * strides[1]
        return self.reach(strides, ratios) + CELLS_PER_WINDOW * cell // 2

    def forward(
        self,
        x: Tensor,
        strides: Sequence[int] = TRAINED,
        ratios: Sequence[float] = (1, 1),
    ) -> Tensor:
        """Map (N, C + extra, H, W) in [0, 1] to the clean estimate (N, C, H, W).

        Parameters
        ----------
        x
            Noisy images, of any size.
        strides
            Of the sub-images, near and far.
        ratios
            Where the taps are, near and far: 1 as in training, 0.5 half as far away.
        """
        x = self.intro(x)
        near = self.near_patch(x, ratios[0])
        near = _on_sub_images(self.near, near, strides[0])
        far = self.far_patch(x, ratios[1])
        far = _on_sub_images(self._transformed, far, strides[1])
        return self.ending(self.tail(torch.cat([near, far], dim=1)))  # type: ignore[no-any-return]

    def _transformed(self, x: Tensor) -> Tensor:
        return self.far_ending(self.far(x))  # type: ignore[no-any-return]
