import numpy as np
import pytest
import torch

from mid_core.evaluation import divergence as module
from mid_core.evaluation.divergence import (
    divergence,
    lower_bound,
    marginal_divergence,
    whitening,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 250)


@pytest.mark.parametrize(
    ("dimensions", "shift", "spread", "nats"),
    # By hand: d (1 / s^2 - 1 + 2 ln s) / 2 + |shift|^2 / 2, of N(0, 1) from N(shift, s).
    [
        (4, 0, 1, 0),
        (4, 0.5, 1, 0.5),
        (4, 0, 1.5, 0.511),
        (1, 0, 1.5, 0.128),
        (1, 0, 1 / 1.5, 0.2195),
        (9, 0, 1 / 1.5, 1.976),
    ],
)
def test_divergence_of_gaussians(rng, dimensions, shift, spread, nats):
    p = rng.standard_normal((16_000, dimensions))
    q = shift * spread + spread * rng.standard_normal((15_000, dimensions))
    assert divergence(p, q, rng) == pytest.approx(nats, abs=0.05 + 0.12 * nats)


def test_divergence_of_correlated_from_white(rng):
    white = rng.standard_normal((16_000, 2))
    pair = white @ [[1, 0.6], [0, 0.8]]
    # By hand: -ln(1 - 0.6^2) / 2, and the other way (2 / 0.64 - 2 + ln 0.64) / 2.
    assert divergence(pair, white[::-1], rng) == pytest.approx(0.223, abs=0.04)
    assert divergence(white[::-1], pair, rng) == pytest.approx(0.339, abs=0.06)


def test_scale_of_the_samples_does_not_matter(rng):
    p, q = rng.standard_normal((2, 8000, 3)) * [1, 30, 900] + 5000
    assert divergence(p, q, rng) == pytest.approx(0, abs=0.03)
    q[:, 0] += 0.5
    assert divergence(p, q, rng) == pytest.approx(0.125, abs=0.04)


def test_heavy_tails_do_not_rule(rng):
    tails = rng.standard_t(2, (16_000, 4))
    assert divergence(tails[:8000], tails[8000:], rng) == pytest.approx(0, abs=0.05)
    assert 0.2 < divergence(tails, rng.standard_normal((16_000, 4)), rng) < 10


def test_bound_of_a_known_critic(rng):
    critic = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(critic.weight, 1)
    torch.nn.init.constant_(critic.bias, 3)
    p, q = rng.standard_normal((2, 100_000, 1))
    # By hand: x - 1/2 is ln N(1, 1) / N(0, 1), whose divergence is 1/2; adding 3 is idle.
    assert lower_bound(critic, p + 1, q) == pytest.approx(0.5, abs=0.06)
    # Cut to [-5, 5] it cannot exceed 10.
    assert lower_bound(critic, p + 100, q - 100) == pytest.approx(10)


def test_equal_seeds_and_the_callers_randomness(rng):
    p, q = rng.standard_normal((2, 2000, 2))
    before = torch.random.get_rng_state()
    first, second = (divergence(p, q, np.random.default_rng(3)) for _ in range(2))
    assert first == second
    assert torch.equal(before, torch.random.get_rng_state())


def test_divergence_of_marginals():
    # By hand: 3/4 ln(3/2) + 1/4 ln(1/2).
    p, q = np.array([0, 0, 0, 7] * 5000), np.array([0, 7] * 10_000)
    assert marginal_divergence(p, q) == pytest.approx(0.1308, abs=0.003)
    assert marginal_divergence(p, p) == 0
    # What q lacks counts much, and not without bound: a quarter of ln(5000 / 0.5).
    assert marginal_divergence(p, 0 * p) == pytest.approx(2.0, abs=0.1)
    assert marginal_divergence(0 * p, p) == pytest.approx(np.log(4 / 3), abs=0.02)


def test_whitened_samples_have_unit_spread(rng):
    samples = rng.standard_normal((5000, 3)) @ np.diag([1, 5, 25])
    white = samples @ whitening(samples)
    np.testing.assert_allclose(np.cov(white.T), np.eye(3), atol=1e-9)
