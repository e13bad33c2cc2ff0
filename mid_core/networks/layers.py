"""Layers and statistics that several networks share."""

from collections.abc import Callable

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


def sub_images(y: Tensor, stride: int) -> Tensor:
    """Cut images into the sub-images of a grid, PD.

    Parameters
    ----------
    y
        (N, C, H, W), both sides multiples of ``stride``.
    stride
        s: rows and columns from one pixel of a sub-image to the next.

    Returns
    -------
    (N s^2, C, H / s, W / s). Of each image ``y[:, i::s, j::s]``, by i and then j.

    Examples
    --------
    >>> y = torch.arange(8).view(1, 1, 2, 4)
    >>> sub_images(y, 2).flatten(1).tolist()
    [[0, 2], [1, 3], [4, 6], [5, 7]]
    """
    grid = y.unflatten(3, (-1, stride)).unflatten(2, (-1, stride))
    return grid.permute(0, 3, 5, 1, 2, 4).flatten(0, 2)


def whole_images(parts: Tensor, stride: int) -> Tensor:
    """Put sub-images together again: what ``sub_images`` has cut.

    Examples
    --------
    >>> y = torch.arange(8).view(1, 1, 2, 4)
    >>> bool((whole_images(sub_images(y, 2), 2) == y).all())
    True
    """
    grid = parts.unflatten(0, (-1, stride, stride))
    return grid.permute(0, 3, 4, 1, 5, 2).flatten(4, 5).flatten(2, 3)


def on_reflected(network: Callable[[Tensor], Tensor], x: Tensor, around: int) -> Tensor:
    """Let a network see an image that goes on around its border by reflection.

    By so many pixels, or as many as there are to reflect; (N, C, H, W) in and out.
    """
    height, width = x.shape[-2:]
    around = min(around, height - 1, width - 1)
    x = F.pad(x, (around,) * 4, mode="reflect") if around else x
    return network(x)[..., around : around + height, around : around + width]


def gaussian_blur(
    x: Tensor, side: int, sigma: float, beyond: str = "replicate"
) -> Tensor:
    """Return the mean around each pixel under a Gaussian window.

    It is computed in single precision: differences of such means are small.

    Parameters
    ----------
    x
        (N, C, H, W).
    side
        Of the window in pixels, odd.
    sigma
        Width of the Gaussian in pixels; the window's weights add up to 1.
    beyond
        How the image goes on around its border: ``torch.nn.functional.pad``'s mode.

    Examples
    --------
    >>> gaussian_blur(torch.ones(1, 1, 2, 3), 5, 1.0).round(decimals=5).unique().tolist()
    [1.0]
    """
    half, channels = side // 2, x.shape[1]
    dtype = torch.promote_types(x.dtype, torch.float32)
    across = torch.arange(-half, half + 1, dtype=dtype, device=x.device)
    weights = torch.exp(-((across / sigma) ** 2) / 2)
    weights = (weights / weights.sum()).view(1, 1, 1, -1).repeat(channels, 1, 1, 1)
    with torch.autocast(x.device.type, enabled=False):
        blurred = F.pad(x.to(dtype), (half,) * 4, mode=beyond)
        blurred = F.conv2d(blurred, weights, groups=channels)
        return F.conv2d(blurred, weights.mT, groups=channels)


def positive_deviation(t: Tensor) -> Tensor:
    """Return a standard deviation, of the range [0, 1], for any number.

    softplus(t - 4) + 0.001: an untrained network begins at about 5 of 255.

    Examples
    --------
    >>> round(positive_deviation(torch.zeros(())).item(), 4)
    0.0191
    """
    return F.softplus(t - 4) + 1e-3


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
