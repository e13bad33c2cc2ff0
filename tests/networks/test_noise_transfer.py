"""SCPGabNet's generator and critic: sizes, blur, and what they look at."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from mid_core.networks.layers import gaussian_blur
from mid_core.networks.noise_transfer import NoiseTransfer, PatchCritic


def test_published_sizes():
    with torch.device("meta"):
        networks = NoiseTransfer(3), PatchCritic(3)
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    # 56,223 of the published generator's are of layers that it does not use.
    assert sizes == [601_950 - 56_223, 2_767_809]


@pytest.mark.parametrize(("side", "sigma"), [(3, 25.0), (11, 1.5), (15, 9.0)])
def test_the_blur_is_scipys(side, sigma, rng):
    x = rng.random((2, 3, 13, 9))
    found = gaussian_blur(torch.tensor(x), side, sigma)
    how = {"sigma": (0, 0, sigma, sigma), "radius": (0, 0, side // 2, side // 2)}
    expected = ndimage.gaussian_filter(x, mode="nearest", **how)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)


def test_content_that_is_taken_off_the_carrier_puts_nothing_on():
    network = NoiseTransfer(3, 4, 1)
    x, carrier = torch.rand(2, 1, 3, 11, 14)
    with torch.no_grad():
        network.content.weight.zero_()
        for colour in range(3):
            network.content.weight[colour, colour, 3, 3] = 1
        same = network(x, carrier)
        # What is left of the carrier is nothing, whatever it was.
        torch.testing.assert_close(
            same, network(x, torch.rand_like(x)), atol=1e-6, rtol=0
        )
        network.content.weight.zero_()
        assert not torch.allclose(network(x, carrier), same, atol=1e-6, rtol=0)


def test_a_fresh_generator_adds_next_to_nothing():
    x, carrier = torch.rand(2, 1, 3, 21, 14)
    with torch.no_grad():
        assert (NoiseTransfer(3, 8, 2)(x, carrier) - x).std() < 0.05


@pytest.mark.parametrize(
    ("layers", "side", "map_side"), [(3, 128, 14), (2, 24, 4), (2, 12, 1)]
)
def test_the_critic_judges_patches(layers, side, map_side):
    critic = PatchCritic(3, 4, layers)
    with torch.no_grad():
        assert critic(torch.rand(2, 3, side, side)).shape == (2, 1, map_side, map_side)
