"""Layers and statistics that several networks share."""

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


def box_mean(x: Tensor, side: int) -> Tensor:
    """Mean over the square of so many pixels around each, as far as there are any.

    (N, C, H, W) in and out; ``side`` is odd.
    """
    # One axis after the other: two passes of `side` terms, not one of side**2.
    half = side // 2
    x = F.avg_pool2d(x, (side, 1), 1, (half, 0), count_include_pad=False)
    return F.avg_pool2d(x, (1, side), 1, (0, half), count_include_pad=False)


def window_mean(cells: Tensor) -> Tensor:
    """Mean over the 5x5 cells around each; those outside the image do not count."""
    return F.avg_pool2d(
        cells,
        CELLS_PER_WINDOW,
        stride=1,
        padding=CELLS_PER_WINDOW // 2,
        count_include_pad=False,
    )


def he_normal(layers: nn.Module, slope: float = 0.0) -> nn.Module:
    """Draw convolutions that keep the signal's size through (Leaky)ReLUs.

    He et al., "Delving Deep into Rectifiers", ICCV 2015. Returns ``layers``.
    """
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, slope)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return layers
