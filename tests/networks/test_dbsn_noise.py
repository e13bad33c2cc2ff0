"""D-BSN with variances: its size, what its mean does not see, and Bayes' rule."""

import numpy as np
import pytest
import torch

from mid_core.networks import build
from mid_core.networks.dbsn_noise import DBSNNoise, fused

SMALL = {"name": "dbsn_noise", "width": 4, "blocks": 1, "variance_width": 5}


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_published_sizes():
    with torch.device("meta"):
        network = DBSNNoise()
    assert count(network.blind) == 6_612_675
    # Theirs give six numbers of a covariance, here three: 99 weights fewer.
    variances = network.variances
    assert [count(variances.error), count(variances.noise)] == [4358 - 99, 3494 - 99]


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_the_mean_sees_no_pixel_of_the_grid(blocks):
    around = 15
    total = torch.zeros(2 * around + 1, 2 * around + 1, dtype=torch.float64)
    for seed in range(3):
        network = build(SMALL | {"blocks": blocks}, seed=[seed]).double()
        for row, column in ((17, 19), (20, 16)):
            y = torch.rand(1, 3, 37, 39, dtype=torch.float64).requires_grad_()
            mean = network.blind(y)[1][0, :, row, column].sum()
            (gradient,) = torch.autograd.grad(mean, y)
            gradient = gradient[0].abs().sum(dim=0)
            rows = slice(row - around, row + around + 1)
            total += gradient[rows, column - around : column + around + 1]
    offsets = np.abs(np.arange(-around, around + 1))
    # A branch sees, and its steps reach: 1 + 4 x blocks and 2 + 6 x blocks pixels.
    seen = np.zeros(total.shape, bool)
    for dilation in (2, 3):
        reach = dilation - 1 + 2 * dilation * blocks
        grid, near = offsets % dilation == 0, offsets <= reach
        seen |= np.outer(near, near) & ~np.outer(grid, grid)
    unseen = total.numpy() == 0
    assert unseen[around, around]
    assert (unseen[~seen]).all()
    # Of what may be seen nearly all is.
    assert unseen[seen].mean() < 0.05
    assert network.receptive_field_radius == 2 + 6 * blocks


def test_the_estimate_sees_its_own_pixel():
    network = build(SMALL).double().eval()
    y = torch.rand(1, 3, 15, 17, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(network(y)[0, 0, 7, 8], y)
    assert gradient[0, 0, 7, 8] > 0


def test_the_noise_depends_on_the_mean_alone_and_all_is_positive():
    network = build(SMALL)
    y = torch.rand(2, 3, 13, 11)
    with torch.no_grad():
        mean, error, noise = network.estimates(y)
        torch.testing.assert_close(noise, network.level(mean) ** 2)
        # Pixel by pixel: an image turned has its levels turned.
        torch.testing.assert_close(network.level(y.mT), network.level(y).mT)
    assert min(error.min(), noise.min()) >= 1e-6
    # At first some five grey levels.
    assert 1 < 255 * noise.sqrt().mean() < 15


def test_bayes_rule_is_the_product_of_two_normal_distributions(rng):
    y, mean = rng.random((2, 5))
    error, noise = rng.uniform(0.1, 2, (2, 5))
    grid = np.linspace(-3, 4, 70_001)[:, None]
    density = np.exp(-((grid - mean) ** 2) / error / 2 - (grid - y) ** 2 / noise / 2)
    expected = (grid * density).sum(0) / density.sum(0)
    found = fused(*map(torch.tensor, (y, mean, error, noise)))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


def test_the_estimate_goes_to_what_is_certain():
    y, mean, one = torch.tensor(0.9), torch.tensor(0.2), torch.tensor(1.0)
    assert fused(y, mean, one, one * 1e-9).item() == pytest.approx(0.9)
    assert fused(y, mean, one * 1e-9, one).item() == pytest.approx(0.2)


def test_a_mask_is_no_input():
    with pytest.raises(ValueError, match="no mask"):
        DBSNNoise(extra_channels=1)
