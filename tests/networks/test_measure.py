"""Costs against published ones, and against counts by hand."""

import pytest
import torch

from mid_core.networks import build
from mid_core.networks.measure import (
    multiply_adds_per_pixel,
    parameters,
    peak_memory,
    seconds_per_megapixel,
)

PIXELS = 256**2


@pytest.mark.parametrize(
    ("settings", "gigas"),
    # For 256 x 256 pixels, as the papers give them.
    [
        ({"name": "nafnet"}, 16.0),
        ({"name": "nafnet", "width": 64}, 63.2),
        ({"name": "dncnn"}, 36.5),
        # The paper's 141.0 are those of its convolutions; the products of queries,
        # keys and values, 13.9, are the test below.
        ({"name": "restormer"}, 141.0 + 13.9),
    ],
)
def test_published_multiply_adds(settings, gigas):
    with torch.device("meta"):
        network = build(settings)
    found = multiply_adds_per_pixel(network) * PIXELS / 1e9
    assert round(found, 1) == gigas


def test_products_of_restormers_attention():
    # QK^T and AV: 2 c c / heads a feature of c channels, and so for each block.
    #           c, heads, blocks, pixels a feature
    levels = [(48, 1, 4, 1), (96, 2, 12, 4), (192, 4, 12, 16), (384, 8, 8, 64)]
    levels.append((96, 1, 8, 1))
    products = sum(2 * c * c / h * count / area for c, h, count, area in levels)
    assert products * PIXELS / 1e9 == pytest.approx(13.9, abs=0.05)


def test_costs_of_a_small_network_by_hand():
    # Folded, 4 (3 + 1) channels to 8, 8 to 8, and 8 to 12, 3x3 each.
    settings = {"name": "dncnn", "width": 8, "depth": 3, "pixel_unshuffle": 2}
    network = build(settings, extra_channels=1)
    weights = 9 * (16 * 8 + 8 * 8 + 8 * 12)
    assert parameters(network) == weights + 8 + 8 + 12
    assert multiply_adds_per_pixel(network) == weights / 4


def test_what_is_counted_stays_as_it_was():
    network = build({"name": "dncnn", "width": 8, "depth": 3}).train()
    before = [p.clone() for p in network.parameters()]
    multiply_adds_per_pixel(network)
    assert network.training
    for parameter, old in zip(network.parameters(), before, strict=True):
        assert torch.equal(parameter, old)


def test_time_and_memory_are_measured():
    network = build({"name": "dncnn", "width": 8, "depth": 3}).eval()
    assert seconds_per_megapixel(network, side=32) > 0
    weights = sum(p.nbytes for p in network.parameters())
    assert peak_memory(torch.device("cpu")) > weights
