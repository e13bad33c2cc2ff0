"""U-Net against its paper's figure, written again in plain NumPy."""

import numpy as np
import torch

from mid_core.networks.unet import UNet
from tests.networks.plain import convolve, parameters, part


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


def pair(x, p):
    for i in (0, 2):
        x = leaky(convolve(x, p[f"{i}.weight"], p[f"{i}.bias"]))
    return x


def pool(x):
    c, height, width = x.shape
    return x.reshape(c, height // 2, 2, width // 2, 2).max(axis=(2, 4))


def enlarge(x, weight, bias):
    """The 2x2 up-convolution: each pixel becomes four, by a matrix each."""
    _, height, width = x.shape
    result = np.zeros((weight.shape[1], 2 * height, 2 * width))
    for i in range(2):
        for j in range(2):
            result[:, i::2, j::2] = np.einsum("chw,co->ohw", x, weight[..., i, j])
    return result + bias[:, None, None]


def unet(x, p):
    """Two levels; (3, H, W), sides multiples of 4."""
    first = pair(x, part(p, "encoders.0."))
    second = pair(pool(first), part(p, "encoders.1."))
    z = pair(pool(second), part(p, "encoders.2."))
    for i, skip in enumerate((second, first)):
        z = enlarge(z, p[f"ups.{i}.weight"], p[f"ups.{i}.bias"])
        z = pair(np.concatenate([skip, z]), part(p, f"decoders.{i}."))
    return convolve(z, p["ending.weight"], p["ending.bias"])


def test_forward_is_the_papers_figure(rng):
    network = UNet(width=2, depth=2)
    x = rng.random((3, 8, 12))
    with torch.no_grad():
        found = network(torch.tensor(x[None], dtype=torch.float32))[0].numpy()
    np.testing.assert_allclose(found, unet(x, parameters(network)), atol=1e-5)


def size(width, depth):
    """Parameters, from the paper's figure: 3x3 twice a level, 2x2 up, 1x1 last."""
    total, inputs = 0, 3
    for level in range(depth + 1):
        c = width * 2**level
        total += (9 * inputs + 1) * c + (9 * c + 1) * c
        if level < depth:
            total += (4 * 2 * c + 1) * c + (9 * 2 * c + 1) * c + (9 * c + 1) * c
        inputs = c
    return total + 3 * (width + 1)


def test_published_size():
    with torch.device("meta"):
        paper, small = UNet(), UNet(width=24, depth=3)
    found = [sum(p.numel() for p in n.parameters()) for n in (paper, small)]
    assert found == [size(64, 4), size(24, 3)]
    assert round(found[0] / 1e6, 1) == 31.0
    assert round(found[1] / 1e6, 2) == 1.08


def test_the_margin_is_all_that_a_pixel_sees(rng):
    network = UNet(width=3, depth=2, pixel_unshuffle=2).double()
    x = torch.tensor(rng.random((1, 3, 120, 16)), requires_grad=True)

    def seen(row):
        (gradient,) = torch.autograd.grad(network(x)[0, :, row].sum(), x)
        return gradient.abs().amax(dim=(0, 1, 3)).nonzero().flatten()

    # Of a cell of the grid, 56 to 63, the outermost rows see furthest.
    assert seen(56).min() == 56 - network.margin
    assert seen(63).max() == 63 + network.margin
