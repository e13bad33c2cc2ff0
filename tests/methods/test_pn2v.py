"""PN2V: a noise model from Noise2Void's predictions, its likelihood, and trainings."""

import numpy as np
import pytest
import torch

from mid_config import registry
from mid_core.errors import MidError
from mid_core.methods import stage_of
from mid_core.networks import build
from tests.conftest import Pool
from tests.methods.white import SIGMA, error, learn, pools

STAGES = registry.method("pn2v")["stages"]
SMALL = {"name": "sampled_unet", "width": 8, "depth": 2, "samples": 20}


class Flat(torch.nn.Module):
    """Predicts the same everywhere."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, y):
        return torch.full_like(y, self.value)


def samples_stage(**settings):
    before = build({"name": "sampled_unet", "width": 1, "depth": 1} | settings)
    return stage_of(STAGES["samples"], before)


def test_noise2void_is_trained_as_that_method_does():
    assert STAGES["noise2void"] == registry.method("noise2void")["stages"]["network"]


def surplus(model, std, x=0.5):
    """Nats by which a noise model is more surprised than the one that is true."""
    y = torch.linspace(x - 6 * std, x + 6 * std, 2001)
    true = torch.distributions.Normal(x, std).log_prob(y)
    with torch.no_grad():
        found = model.log_density(y, torch.tensor(x))
    return torch.trapezoid(true.exp() * (true - found), y).item()


def test_the_noise_model_finds_the_noise(rng):
    stage = stage_of(STAGES["noise"], Flat(0.5))
    stds = np.array([0.02, 0.05, 0.15])
    images = [0.5 + stds * rng.normal(size=(40, 50, 3)) for _ in range(3)]
    pool = Pool(*(image.astype(np.float32) for image in images))
    network = build(SMALL)
    others = network.features.state_dict()
    before = {name: value.clone() for name, value in others.items()}
    learn(stage, network, {"noisy": pool}, steps=60, rate=0.1)
    # Fresh ones are surprised by 0.19 to 0.57 more.
    for model, std in zip(network.noise, stds, strict=True):
        assert surplus(model, std) < 0.15
    for name, value in network.features.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_noise_model_is_taken_over_frozen():
    stage = samples_stage()
    with torch.no_grad():
        for one in stage.before.noise:
            one.weights.copy_(torch.rand(3, 2))
    network = stage.build(SMALL, 3, [0])
    for own, before in zip(network.noise, stage.before.noise, strict=True):
        assert torch.equal(own.weights, before.weights)
        assert not any(p.requires_grad for p in own.parameters())
    assert all(p.requires_grad for p in network.features.parameters())


def test_a_noise_model_of_other_size_is_refused():
    with pytest.raises(MidError, match=r"network\.components"):
        samples_stage(components=2).build(SMALL, 3, [0])


@pytest.fixture
def batch(rng):
    pool = Pool(rng.random((33, 47, 3)).astype(np.float32))
    return samples_stage().batches({"noisy": pool}, 2, 24, [0]).draw(0)


def test_one_pixel_of_each_box_is_replaced_by_one_nearby(batch):
    shown, y, replaced = batch
    assert (replaced.view(2, 3, 4, 6, 4, 6).sum(dim=(3, 5)) == 1).all()
    assert (shown == y)[~replaced].all()


def test_the_loss_is_that_of_the_samples_mean_likelihood(batch):
    stage = samples_stage()
    network = stage.build(SMALL, 3, [0])
    shown, y, replaced = batch
    total, count = 0.0, 0
    with torch.no_grad():
        loss = stage.loss(network, batch).item()
        features = network.features(shown).permute(0, 2, 3, 1)
        for colour, model in enumerate(network.noise):
            samples = network.samples(features, colour).double()
            logs = model.double().log_density(y[:, colour, ..., None], samples)
            surprise = -logs.exp().mean(-1).log()
            total += surprise[replaced[:, colour]].sum().item()
            count += replaced[:, colour].sum().item()
    assert loss == pytest.approx(total / count, rel=1e-4)


def test_one_sample_that_hits_is_enough(batch):
    stage = samples_stage()
    network = stage.build(SMALL, 3, [0])
    for ending in network.endings:
        torch.nn.init.zeros_(ending.weight)
        torch.nn.init.constant_(ending.bias, 5.0)
    _, y, replaced = batch
    y = torch.full_like(y, 0.25)
    with torch.no_grad():
        far = stage.loss(network, (y, y, replaced)).item()
        for ending in network.endings:
            ending.bias[7] = 0.25
        near = stage.loss(network, (y, y, replaced)).item()
        again = stage.loss(network, (y, y + ~replaced, replaced)).item()
    assert near < far - 100
    # What is not replaced does not count.
    assert again == near


@pytest.mark.slow
def test_the_chain_denoises_white_noise():
    images, before, answers = pools(), None, {}
    networks = {
        "noise2void": {"name": "unet", "width": 8, "depth": 2},
        "noise": SMALL | {"width": 1, "depth": 1, "samples": 1},
        "samples": SMALL,
    }
    plans = {"noise2void": (150, 1e-2), "noise": (80, 0.1), "samples": (120, 1e-2)}
    for name, settings in networks.items():
        stage = stage_of(STAGES[name], before)
        network = stage.build(settings, 3, [2])
        first, last = learn(stage, network, images, *plans[name])
        assert last < first
        before = answers[name] = stage.trained(network).eval().requires_grad_(False)
    # Fresh ones are surprised by 0.3 more.
    assert all(surplus(model, SIGMA) < 0.2 for model in answers["noise"].noise)
    assert error(answers["samples"]) < 0.5
