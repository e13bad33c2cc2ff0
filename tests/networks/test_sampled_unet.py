"""PN2V's network: a noise model that is a density, and the mean that it weighs."""

import numpy as np
import pytest
import torch
from scipy import stats

from mid_core.networks import build, sampled_unet
from mid_core.networks.sampled_unet import NoiseMixture

SMALL = {"name": "sampled_unet", "width": 4, "depth": 2, "samples": 6, "components": 2}


@pytest.fixture
def mixture(rng):
    """A noise model of three Gaussians that differ in all respects."""
    made = NoiseMixture(3).double()
    with torch.no_grad():
        made.weights.copy_(torch.tensor(rng.normal(size=(3, 2))))
        made.offsets.copy_(0.05 * torch.tensor(rng.normal(size=(3, 2))))
    return made


@pytest.mark.parametrize("x", [0.0, 0.37, 1.0])
def test_it_is_a_density_whose_mean_is_the_signal(mixture, x):
    y = torch.linspace(x - 1.5, x + 1.5, 60_001, dtype=torch.float64)
    with torch.no_grad():
        density = mixture.log_density(y, torch.tensor(x, dtype=y.dtype)).exp()
    assert torch.trapezoid(density, y).item() == pytest.approx(1, abs=1e-6)
    assert torch.trapezoid(density * y, y).item() == pytest.approx(x, abs=1e-6)


def test_it_is_the_mixture_that_scipy_has(mixture, rng):
    x, y = rng.random(20), rng.random(20)
    with torch.no_grad():
        found = mixture.log_density(torch.tensor(y), torch.tensor(x)).numpy()
    weights, offsets, logs = (
        part.detach().numpy()
        for part in (mixture.weights, mixture.offsets, mixture.log_variances)
    )
    for i, signal in enumerate(x):
        at = np.array([1, signal])
        share = np.exp(weights @ at) / np.exp(weights @ at).sum()
        mean = signal + offsets @ at - share @ (offsets @ at)
        std = np.sqrt(np.exp(logs) @ at + (0.5 / 255) ** 2)
        expected = np.log(share @ stats.norm.pdf(y[i], mean, std))
        assert found[i] == pytest.approx(expected, rel=1e-6)


def test_beyond_the_range_it_stays_as_at_its_end(mixture):
    x = torch.tensor([-0.5, 0.0, 1.0, 3.0], dtype=torch.float64)
    with torch.no_grad():
        found = mixture.log_density(x + 0.03, x)
    np.testing.assert_allclose(found[[0, 3]], found[[1, 2]], rtol=1e-9)


def set_noise(network, std):
    """Give all colours Gaussian noise of one level."""
    with torch.no_grad():
        for one in network.noise:
            one.log_variances.copy_(torch.tensor([2 * np.log(std), -50.0]))


@pytest.fixture
def network():
    return build(SMALL | {"samples": 300}, channels=3).eval()


@pytest.fixture
def noisy(rng):
    return torch.tensor(rng.uniform(0.2, 0.8, (2, 3, 21, 34)), dtype=torch.float32)


def drawn(network, y):
    with torch.no_grad():
        features = network.features(y).permute(0, 2, 3, 1)
        colours = [network.samples(features, colour) for colour in range(3)]
    return torch.stack(colours, dim=1)


def test_much_noise_gives_the_mean_of_the_samples(network, noisy):
    set_noise(network, 1e4)
    with torch.no_grad():
        found = network(noisy)
    torch.testing.assert_close(found, drawn(network, noisy).mean(-1), rtol=0, atol=1e-5)


def test_little_noise_gives_the_samples_next_to_the_noisy_value(network, noisy):
    set_noise(network, 1e-6)
    samples = drawn(network, noisy)
    with torch.no_grad():
        found = network(noisy)
    away = (samples - noisy[..., None]).abs()
    nearest = samples.gather(-1, away.argmin(-1, keepdim=True))[..., 0]
    between = (found - nearest).abs()
    assert between.median() < 0.001
    assert ((found - noisy).abs() <= away.min(-1).values + 0.004).all()


def test_bands_are_put_together(network, noisy, monkeypatch):
    with torch.no_grad():
        in_bands = network(noisy)
        monkeypatch.setattr(sampled_unet, "BAND", 1000)
        at_once = network(noisy)
    torch.testing.assert_close(in_bands, at_once, rtol=0, atol=1e-6)
    likely = []
    for colour, model in enumerate(network.noise):
        samples = drawn(network, noisy)[:, colour]
        with torch.no_grad():
            logs = model.log_density(noisy[:, colour, ..., None], samples)
        weights = logs.double().exp()
        likely.append((weights * samples).sum(-1) / weights.sum(-1))
    expected = torch.stack(likely, dim=1).float()
    torch.testing.assert_close(at_once, expected, rtol=0, atol=1e-5)


def test_each_colour_has_samples_and_noise_of_its_own():
    with torch.device("meta"):
        sizes = [
            sum(p.numel() for p in build(SMALL, channels).parameters())
            for channels in (1, 2)
        ]
    # A layer of 4 x 6 weights and 6 biases, 2 x 3 x 2 of the noise, 3 x 3 x 4 of the first.
    assert sizes[1] - sizes[0] == 30 + 12 + 36
