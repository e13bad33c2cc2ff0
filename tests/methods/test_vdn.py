"""VDN: its bound against divergences found otherwise, and a tiny training."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, special, stats
from torch.distributions import InverseGamma, Normal, kl_divergence

from mid_config import registry
from mid_core.errors import MidError
from mid_core.methods import stage_of, vdn
from mid_core.methods.vdn import Belief
from mid_core.networks import build
from mid_core.networks.variational_unet import variance_network
from tests.methods.correlated import clean
from tests.methods.white import error, learn, noisy, pools

SETTINGS = registry.method("vdn")["stages"]["network"]
SMALL = {"name": "variational_unet", "width": 8, "depth": 2}


def small_stage(**options):
    own = SETTINGS["options"] | {"variance_width": 8} | options
    return stage_of(SETTINGS | {"options": own})


@pytest.fixture
def pair(rng):
    """A noisy crop and its truth, of odd sizes, in double precision."""
    x = torch.tensor(rng.random((2, 3, 13, 17)))
    return x + 0.1 * torch.tensor(rng.normal(size=x.shape)), x


@pytest.fixture
def belief(pair, rng):
    shape = pair[0].shape
    mean = pair[1] + 0.01 * torch.tensor(rng.normal(size=shape))
    spread = [torch.tensor(rng.uniform(*ends, shape)) for ends in ENDS]
    return Belief(mean, *spread)


# Of the variance of the clean values, of alpha and of beta.
ENDS = (1e-7, 1e-4), (1.5, 30.0), (0.01, 0.4)


def test_the_networks_are_the_papers():
    with torch.device("meta"):
        networks = build(SETTINGS["network"]), variance_network(3)
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert sizes == [7_700_742, 116_038]


def test_the_divergences_are_those_of_torch(belief, pair, rng):
    shape = pair[0].shape
    prior = [torch.tensor(rng.uniform(*ends, shape)) for ends in ENDS[1:]]
    found = vdn.kl_of_inverse_gammas(belief.alpha, belief.beta, *prior)
    own = InverseGamma(belief.alpha, belief.beta)
    torch.testing.assert_close(found, kl_divergence(own, InverseGamma(*prior)))
    assert (found > 0).all()
    found = vdn.kl_of_normals(belief.mean, belief.variance, pair[1], 1e-5)
    own = Normal(belief.mean, belief.variance.sqrt())
    expected = kl_divergence(own, Normal(pair[1], math.sqrt(1e-5)))
    torch.testing.assert_close(found, expected)
    assert (found > 0).all()


def test_what_equals_its_prior_costs_nothing(belief):
    same = belief.alpha, belief.beta
    assert vdn.kl_of_inverse_gammas(*same, *same).abs().max() < 1e-12
    flat = torch.full_like(belief.mean, 1e-6)
    assert not vdn.kl_of_normals(belief.mean, flat, belief.mean, 1e-6).any()


def surprise_by_integration(y, mean, variance, alpha, beta):
    """-log N(y; z, s^2), integrated over z, normal, and over g = beta / s^2, gamma."""
    points, weights = np.polynomial.hermite_e.hermegauss(7)
    z = mean + math.sqrt(variance) * points
    log_g = np.linspace(-40, 8, 6001)[:, None]
    density = np.exp(alpha * log_g - np.exp(log_g) - special.gammaln(alpha))
    surprise = -stats.norm.logpdf(y, z, np.sqrt(beta / np.exp(log_g)))
    over_z = (density * surprise) @ weights / weights.sum()
    return np.trapezoid(over_z, log_g[:, 0])


def test_the_expected_surprise_is_an_integral(pair, belief):
    found = vdn.expected_surprise(pair[0], belief).flatten()
    own = [part.flatten().tolist() for part in (pair[0], *belief)]
    for place in range(0, len(found), 29):
        expected = surprise_by_integration(*(part[place] for part in own))
        assert found[place].item() == pytest.approx(expected, rel=1e-6)


def test_the_noises_variance_is_a_gaussian_mean_of_squares(pair):
    square = (pair[0] - pair[1]) ** 2
    found = vdn.local_mean(square, 7)
    expected = ndimage.gaussian_filter(
        square.numpy(), (0, 0, 3, 3), radius=(0, 0, 3, 3), mode="mirror"
    )
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    assert vdn.local_mean(0 * square, 7).unique().tolist() == [1e-10]


def test_the_loss_is_the_whole_bound(pair, belief):
    y, x = pair
    square = ndimage.gaussian_filter(
        ((y - x) ** 2).numpy(), (0, 0, 3, 3), radius=(0, 0, 3, 3), mode="mirror"
    )
    prior = InverseGamma(torch.full_like(y, 23.5), 24.5 * torch.tensor(square))
    noise = kl_divergence(InverseGamma(belief.alpha, belief.beta), prior)
    own = Normal(belief.mean, belief.variance.sqrt())
    image = kl_divergence(own, Normal(x, 1e-3))
    log_s2 = belief.beta.log() - torch.digamma(belief.alpha)
    squares = (y - belief.mean) ** 2 + belief.variance
    likelihood = log_s2 + squares * belief.alpha / belief.beta
    expected = (0.5 * (likelihood + math.log(2 * math.pi)) + image + noise).mean()
    loss = small_stage().loss(lambda _: belief, pair)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_without_doubt_it_is_the_squared_error(pair, belief):
    _, x = pair
    stage = small_stage(prior_variance=1e-9)
    losses = []
    for mean in (belief.mean, x):
        same = belief._replace(mean=mean, variance=torch.full_like(x, 1e-9))
        losses.append(stage.loss(lambda _, same=same: same, pair))
    # Of the two the noise's part is alike, and small.
    difference = (losses[0] - losses[1]).item() * 2e-9
    assert difference == pytest.approx(((belief.mean - x) ** 2).mean().item(), rel=1e-4)


@pytest.mark.parametrize("value", [-40.0, 40.0])
def test_gradients_are_finite_beyond_the_bounds(value, pair):
    network = small_stage().build(SMALL, 3, [0])
    endings = network.denoiser.ending, network.variance[1]
    for ending in endings:
        torch.nn.init.constant_(ending.bias, value)
    batch = tuple(one.float() for one in pair)
    found = network(batch[0])
    for part in found[1:]:
        assert part.min() >= 0.99e-8
        assert part.max() <= 1.01e4
    loss = small_stage().loss(network, batch)
    loss.backward()
    assert loss.isfinite()
    for name, parameter in network.named_parameters():
        if parameter.grad is not None:
            assert parameter.grad.isfinite().all(), name


def test_the_mean_is_the_answer_and_a_correction(rng):
    network = build(SMALL, channels=1).eval()
    y = torch.tensor(rng.random((2, 1, 13, 22)), dtype=torch.float32)
    with torch.no_grad():
        mean, log_variance = network.posterior(y)
        torch.testing.assert_close(network(y), mean, rtol=0, atol=0)
        assert mean.shape == log_variance.shape == y.shape
        for parameter in network.ending.parameters():
            parameter.zero_()
        torch.testing.assert_close(network(y), y, rtol=0, atol=0)


def test_a_pixel_sees_no_further_than_the_radius():
    network = build(SMALL | {"width": 2}).double()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    y = torch.rand(1, 3, 96, 8, dtype=torch.float64).requires_grad_()
    found, reaches = network(y), []
    for row in range(40, 48):
        (gradient,) = torch.autograd.grad(found[0, :, row].sum(), y, retain_graph=True)
        seen = gradient.abs().amax(dim=(0, 1, 3)).nonzero().flatten()
        reaches += [row - int(seen.min()), int(seen.max()) - row]
    assert max(reaches) == network.margin


def test_variances_start_as_their_priors_have_them(pair):
    network = small_stage(prior_variance=1e-5).build(SMALL, 3, [0])
    with torch.no_grad():
        found = network(pair[0].float())
    np.testing.assert_allclose(found.variance.numpy(), 1e-5, rtol=1e-4)
    bias = network.variance[1].bias[:3].detach().numpy()
    np.testing.assert_allclose(bias, np.log(7**2 / 2 - 1), rtol=1e-6)


def test_weights_come_from_the_seed_alone():
    before = torch.random.get_rng_state()
    states = [small_stage().build(SMALL, 3, [s, 2]).state_dict() for s in (0, 0, 1)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    for name in ("denoiser.ending.weight", "variance.1.weight"):
        assert not torch.equal(states[0][name], states[2][name])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_truths_of_other_images_are_refused():
    own = pools(count=3) | {"truth": pools(count=4)["truth"]}
    with pytest.raises(MidError, match="truths are not those"):
        small_stage().batches(own, 2, 16, [0])


@pytest.mark.slow
def test_it_denoises_and_knows_the_noise():
    def sigma(x):
        """More noise where the first colour is bright."""
        return 0.05 + 0.2 * (x[..., :1] - 0.2)

    stage = small_stage(prior_variance=1e-5)
    network = stage.build(SMALL, 3, [1])
    first, last = learn(stage, network, pools(sigma), steps=120)
    assert last < 0.5 * first
    answer = stage.trained(network)
    assert answer is network.denoiser
    assert error(answer) < 0.7
    truths = [clean(seed, 40, 48) for seed in range(2000, 2010)]
    true, found = [], []
    for seed, x in enumerate(truths):
        y = torch.tensor(noisy(seed, x, sigma(x))).permute(2, 0, 1)[None]
        with torch.inference_mode():
            belief = network(y)
        true.append((sigma(x) ** 2).mean())
        found.append((belief.beta / (belief.alpha - 1).clamp(min=0.1)).mean().item())
    assert np.corrcoef(np.log(true), np.log(found))[0, 1] > 0.7
