"""Restormer against its paper's formulas, written again in plain NumPy."""

import math

import numpy as np
import pytest
import torch

from mid_core.ensemble import denoise
from mid_core.errors import MidError
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.networks.restormer import Restormer, _mix
from tests.networks.plain import convolve, layer_norm, parameters, part, pixel_shuffle


def spread(x, p, prefix):
    """1x1, then 3x3 for each channel."""
    x = convolve(x, p[prefix + "0.weight"], None)
    return convolve(x, p[prefix + "1.weight"], None, groups=x.shape[0])


def attention(x, p, heads):
    """For each head: softmax(Q K^T t) V, with rows of Q and K of length 1."""
    c, height, width = x.shape
    z = spread(x, p, "qkv.").reshape(3, heads, c // heads, height * width)
    q, k, v = z
    found = np.zeros_like(v)
    for h in range(heads):
        rows = [m[h] / np.linalg.norm(m[h], axis=1, keepdims=True) for m in (q, k)]
        scores = np.exp(rows[0] @ rows[1].T * p["temperature"][h])
        found[h] = scores / scores.sum(axis=1, keepdims=True) @ v[h]
    return convolve(found.reshape(c, height, width), p["out.weight"], None)


def feed_forward(x, p):
    gate, value = np.split(spread(x, p, "spread."), 2)
    erf = np.vectorize(math.erf)
    gate = gate * (1 + erf(gate / np.sqrt(2))) / 2
    return convolve(gate * value, p["out.weight"], None)


def block(x, p, heads):
    z = layer_norm(x, p["norm1.weight"], p["norm1.bias"])
    x = x + attention(z, part(p, "attention."), heads)
    z = layer_norm(x, p["norm2.weight"], p["norm2.bias"])
    return x + feed_forward(z, part(p, "feed_forward."))


def pixel_unshuffle(x):
    c, height, width = x.shape
    z = x.reshape(c, height // 2, 2, width // 2, 2).transpose(0, 2, 4, 1, 3)
    return z.reshape(4 * c, height // 2, width // 2)


def restormer(x, p):
    """Three levels, one block each; (3, H, W), sides multiples of 4."""
    z, skips = convolve(x, p["intro.weight"], None), []
    for i in range(3):
        z = block(z, part(p, f"encoders.{i}.0."), heads=2**i)
        if i < 2:
            skips.append(z)
            z = pixel_unshuffle(convolve(z, p[f"downs.{i}.0.weight"], None))
    for i in (1, 0):
        z = pixel_shuffle(convolve(z, p[f"ups.{i}.0.weight"], None))
        z = np.concatenate([z, skips[i]])
        if i:
            z = convolve(z, p[f"reduces.{i}.weight"], None)
        z = block(z, part(p, f"decoders.{i}.0."), heads=2**i)
    z = block(z, part(p, "refinement.0."), heads=1)
    return convolve(z, p["ending.weight"], None) + x


def stirred(**settings):
    """A network whose channels attend to each other very unevenly."""
    network = build({"name": "restormer", **settings}, seed=[2]).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("temperature"):
                parameter *= 2 + 2 * torch.rand(parameter.shape, generator=generator)
            if name.endswith(("attention.out.weight", "ending.weight")):
                parameter *= 3
    return network


def test_forward_is_the_papers_formula(rng):
    network = stirred(width=4, blocks=[1, 1, 1], refinement=1)
    x = rng.random((3, 8, 12))
    with torch.no_grad():
        found = network(torch.tensor(x[None], dtype=torch.float32))[0].numpy()
    np.testing.assert_allclose(found, restormer(x, parameters(network)), atol=1e-4)


def test_published_size():
    with torch.device("meta"):
        network = Restormer()
    found = sum(p.numel() for p in network.parameters())
    assert round(found / 1e6, 1) == 26.1
    assert found == 26_126_644  # the released models with biased normalisation


def test_one_level_is_refused():
    with pytest.raises(MidError, match="two levels or more"):
        build({"name": "restormer", "blocks": [4]})


def test_windows_over_the_whole_image_are_the_whole_image(rng):
    network = stirred(width=4, blocks=[1, 1], refinement=1)
    x = torch.tensor(rng.random((1, 3, 44, 36)), dtype=torch.float32)
    with torch.no_grad():
        whole = network(x)
        network.set_patch_size(32)
        # 16 px cells: three a side, all within each other's window of five.
        assert network.cell_px == 16
        torch.testing.assert_close(network(x), whole, atol=1e-4, rtol=1e-4)


def test_windows_see_only_their_part(rng):
    network = stirred(width=4, blocks=[1, 1], refinement=1)
    network.set_patch_size(8)
    x = torch.tensor(rng.random((1, 3, 160, 16)), dtype=torch.float32)
    changed = x.clone()
    changed[..., 150:, :] = 0
    with torch.no_grad():
        difference = (network(x) - network(changed)).abs().amax(dim=(0, 1, 3))
    assert difference[150:].max() > 0.01
    assert difference[:60].max() == 0


def test_windows_keep_tiles_from_showing(rng):
    network = build({"name": "restormer", "width": 4, "blocks": [1, 1]}, seed=[1])
    light = np.linspace(0.05, 1, 403)[:, None, None]
    y = (light * rng.random((403, 67, 3))).astype(np.float32)

    def difference(patch_size):
        network.eval().set_patch_size(patch_size)
        whole, tiled = (
            denoise(network, y, Masking(0.3), [1], (1,), tile)[0]
            for tile in (1024, 256)
        )
        return abs(tiled - whole).max()

    assert difference(patch_size=16) < 0.1 / 255
    # Statistics of whole tiles are what makes them visible.
    assert difference(patch_size=None) > 1 / 255


@pytest.mark.parametrize("cell", [3, 4])
def test_cells_fade_into_each_other(cell):
    # One channel, whose weight is the cell's number: linear between the middles.
    weights = torch.arange(3.0).view(1, 3, 1, 1, 1, 1)
    found = _mix(weights, torch.ones(1, 1, 1, 3 * cell, cell), cell)[0, 0, 0]
    rows = (np.arange(3 * cell) + 0.5) / cell - 0.5
    expected = np.broadcast_to(np.clip(rows, 0, 2)[:, None], (3 * cell, cell))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
