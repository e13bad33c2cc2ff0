"""Laine et al.: the likelihood that teaches, and a tiny training on white noise."""

import numpy as np
import pytest
import torch
from scipy import stats

from mid_config import registry
from mid_core.methods import stage_of
from mid_core.networks import build
from mid_core.networks.blind_gaussian import Belief
from tests.methods.white import error, learn, pools

SETTINGS = registry.method("laine")["stages"]["network"]
SMALL = {"name": "blind_gaussian", "width": 6}
# Few steps leave a prediction that is wrong by 0.2: what is weaker would not be learnt.
STRONG = 0.3


class Believing:
    """Has one belief, whatever it sees."""

    def __init__(self, belief):
        self.told = belief

    def belief(self, y):
        return self.told


@pytest.mark.parametrize("channels", [1, 3])
def test_the_loss_is_a_log_density(channels, rng):
    shape = 1, 4, 5, channels
    factor = rng.normal(size=(*shape, channels)) / 5
    mean, noise = rng.random(shape), rng.uniform(0.001, 0.01, shape)
    covariance = np.swapaxes(factor, -1, -2) @ factor
    y = rng.random((1, channels, 4, 5))
    logs = [
        stats.multivariate_normal.logpdf(
            y[0, :, i, j],
            mean[0, i, j],
            covariance[0, i, j] + np.diag(noise[0, i, j]),
        )
        for i in range(4)
        for j in range(5)
    ]
    expected = -np.mean(logs) - 0.1 * np.sqrt(noise).mean()
    belief = Belief(*map(torch.tensor, (mean, covariance, noise)))
    batch = torch.tensor(y), torch.tensor(y)
    loss = stage_of(SETTINGS).loss(Believing(belief), batch)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_gradients_of_single_precision_are_finite(rng):
    network = build(SMALL)
    # Clean colours as uncertain as can be, noise as weak.
    with torch.no_grad():
        network.blind.ending[-1].weight.mul_(100)
        network.level.ending.bias.fill_(-20)
    y = torch.tensor(rng.random((2, 3, 32, 32)), dtype=torch.float32)
    loss = stage_of(SETTINGS).loss(network, (y, y))
    loss.backward()
    assert loss.dtype == torch.float32
    for name, parameter in network.named_parameters():
        assert parameter.grad.isfinite().all(), name


def test_the_true_level_is_the_most_likely(rng):
    x = rng.random((1, 40, 50, 3))
    y = torch.tensor(x + STRONG * rng.standard_normal(x.shape)).permute(0, 3, 1, 2)
    certain = torch.eye(3).double().expand(1, 40, 50, 3, 3) * 1e-9

    def loss(level):
        belief = Belief(torch.tensor(x), certain, torch.full(x.shape, level**2))
        return stage_of(SETTINGS).loss(Believing(belief), (y, y)).item()

    assert loss(STRONG) < min(loss(0.9 * STRONG), loss(1.1 * STRONG))


@pytest.mark.slow
def test_a_tiny_training_denoises_white_noise():
    stage, network = stage_of(SETTINGS), build(SMALL, seed=[1])
    # Few steps tell noise from doubt badly: the level begins near the true one.
    with torch.no_grad():
        network.level.ending.bias.fill_(3)
    # Of smaller crops its U-Net sees little but their borders.
    images = pools(STRONG, size=(71, 84), count=12)
    first, last = learn(stage, network, images, 120, rate=3e-3, crops=1, patch=64)
    assert last < first - 1
    assert error(network, sigma=STRONG) < 0.8
