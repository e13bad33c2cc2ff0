"""Laine's network: its hole of one pixel, and Bayes' rule against other formulas."""

import numpy as np
import pytest
import torch

from mid_core.errors import MidError
from mid_core.networks import build
from mid_core.networks.blind_gaussian import Belief, BlindGaussian

SMALL = {"name": "blind_gaussian", "width": 3}


def test_published_sizes():
    with torch.device("meta"):
        network = BlindGaussian()
    parts = network.blind, network.level
    sizes = [sum(p.numel() for p in part.parameters()) for part in parts]
    # 97 weights and biases for each output but three; but one, of the second.
    assert sizes == [1_268_547 + 6 * 97, 1_083_747 - 2 * 97]
    assert network.blind.hole == 1


def seen(part, place, hole=1):
    """Where a part of the belief has a gradient, for several seeds."""
    total = torch.zeros(61, 75, dtype=torch.float64)
    for seed in range(3):
        network = build(SMALL | {"hole": hole}, seed=[seed]).double()
        y = torch.rand(1, 3, 61, 75, dtype=torch.float64).requires_grad_()
        one = getattr(network.belief(y), part)[0, place[0], place[1]].sum()
        (gradient,) = torch.autograd.grad(one, y)
        total += gradient[0].abs().sum(dim=0)
    return total


@pytest.mark.parametrize("part", ["mean", "covariance"])
@pytest.mark.parametrize("place", [(30, 31), (35, 40)])
def test_the_pixel_itself_is_all_that_a_prediction_does_not_see(part, place):
    total = seen(part, place)
    around = total[place[0] - 1 : place[0] + 2, place[1] - 1 : place[1] + 2]
    assert (around == 0).nonzero().tolist() == [[1, 1]]


def test_a_larger_hole_hides_more():
    total = seen("mean", (30, 31), hole=3)
    assert not total[29:32, 30:33].any()
    assert total[28, 31] > 0


def test_the_level_is_of_the_whole_image():
    total = seen("noise", (30, 31))
    assert (total > 0).float().mean() > 0.9
    network = build(SMALL).double()
    y = torch.rand(2, 3, 37, 50, dtype=torch.float64)
    noise = network.belief(y).noise
    assert noise.shape == (2, 37, 50, 3)
    for own in noise:
        assert own.unique().numel() == 1
    assert noise[0, 0, 0, 0] != noise[1, 0, 0, 0]


def test_the_level_of_large_images_is_that_of_windows(rng):
    network = build(SMALL).eval()
    torch.nn.init.normal_(network.level.ending.weight)
    y = torch.tensor(rng.random((1, 3, 64, 480)), dtype=torch.float32)
    y[..., 240:] *= 0.1
    network.set_patch_size(64)
    with torch.no_grad():
        noise = network.belief(y).noise[0, :, :, 0]
    assert network.margin >= network.level.margin + 2.5 * 32
    # The ends are of one kind each, and between them it changes gradually.
    assert noise[0, 0] != noise[0, -1]
    steps = noise.sqrt().diff(dim=1).abs()
    assert steps.max() < 0.1 * (noise[0, 0].sqrt() - noise[0, -1].sqrt()).abs()


@pytest.fixture
def belief(rng):
    factor = torch.tensor(rng.normal(size=(2, 5, 7, 3, 3))) / 10
    mean = torch.tensor(rng.random((2, 5, 7, 3)))
    noise = torch.tensor(rng.uniform(0.001, 0.01, (2, 5, 7, 3)))
    return Belief(mean, factor.mT @ factor, noise)


def test_the_answer_is_the_papers_posterior_mean(belief, rng):
    y = rng.random(belief.mean.shape)
    found = belief.posterior_mean(torch.tensor(y)).numpy()
    mean, covariance, noise = (part.numpy() for part in belief)
    for place in [(0, 0, 0), (1, 4, 6), (0, 2, 3)]:
        prior = np.linalg.inv(covariance[place])
        seen = np.diag(1 / noise[place])
        both = prior @ mean[place] + seen @ y[place]
        expected = np.linalg.inv(prior + seen) @ both
        np.testing.assert_allclose(found[place], expected, rtol=1e-6)


def test_certainty_decides(belief, rng):
    y = torch.tensor(rng.random(belief.mean.shape))
    silent = belief._replace(noise=torch.full_like(belief.noise, 1e-12))
    torch.testing.assert_close(silent.posterior_mean(y), y, rtol=0, atol=1e-5)
    sure = belief._replace(covariance=0 * belief.covariance)
    torch.testing.assert_close(sure.posterior_mean(y), belief.mean)


@pytest.mark.parametrize("channels", [1, 3])
def test_covariances_are_positive(channels, rng):
    network = build(SMALL, channels).eval()
    y = torch.tensor(rng.random((1, channels, 19, 26)), dtype=torch.float32)
    with torch.no_grad():
        found = network.belief(y)
        assert network(y).shape == y.shape
    assert found.covariance.shape == (1, 19, 26, channels, channels)
    torch.testing.assert_close(found.covariance, found.covariance.mT)
    assert torch.linalg.eigvalsh(found.covariance).min() > -1e-12
    # softplus(-4) + 0.001, squared.
    np.testing.assert_allclose(found.noise.numpy(), 0.01914993**2, rtol=0.02)


def test_poissons_variance_grows_with_the_brightness(rng):
    network = build(SMALL | {"noise": "poisson"}).eval()
    y = torch.tensor(rng.random((1, 3, 19, 26)), dtype=torch.float32)
    with torch.no_grad():
        found = network.belief(y)
    ratio = found.noise / found.mean.clamp(min=1e-3)
    np.testing.assert_allclose(ratio.numpy(), ratio[0, 0, 0, 0].item(), rtol=1e-6)
    assert found.mean.std() > 0.01


def test_an_unknown_noise_is_refused():
    with pytest.raises(MidError, match="noise 'rician' is unknown"):
        build(SMALL | {"noise": "rician"})
