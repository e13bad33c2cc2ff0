"""Blind2Unblind: hidden copies, the loss and its schedule, the answer, and a training."""

import numpy as np
import pytest
import torch
from torch import nn

from mid_core.ensemble import denoise
from mid_core.masking import Masking
from mid_core.methods import stage_of
from mid_core.methods.blind2unblind import (
    Revisible,
    Unblind,
    hidden_copies,
    neighbour_means,
    sites,
)
from mid_core.networks import build
from mid_core.trainer import Trainer, Training
from tests.conftest import Pool
from tests.methods.correlated import CPU, clean, first_stage
from tests.methods.counting import Counting

SMALL = {"name": "dncnn", "width": 12, "depth": 3, "residual": False}


@pytest.fixture
def y(rng):
    return torch.tensor(rng.random((2, 3, 11, 14)), dtype=torch.float32)


def test_each_pixel_is_hidden_in_one_copy_of_16(y):
    masks = torch.cat(list(sites(y, 4)))
    assert masks.shape == (16, 1, 11, 14)
    assert (masks.sum(0) == 1).all()
    assert masks[0].nonzero()[:2].tolist() == [[0, 0, 0], [0, 0, 4]]
    for mask, shown in hidden_copies(y, 4):
        outside = ~mask.expand_as(y)
        assert torch.equal(shown[outside], y[outside])
        assert (shown != y)[mask.expand_as(y)].all()


def test_a_hidden_pixel_is_the_mean_of_its_neighbours(y):
    found, image = neighbour_means(y).numpy(), y.numpy()
    for row, column in [(0, 0), (5, 13), (4, 7)]:
        total = weights = 0.0
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                there = 0 <= row + i < 11 and 0 <= column + j < 14
                # 1 beside it, a half at its corners.
                weight = {0: 0, 1: 1, 2: 0.5}[abs(i) + abs(j)] * there
                if weight:
                    total = total + weight * image[..., row + i, column + j]
                    weights += weight
        np.testing.assert_allclose(found[..., row, column], total / weights, atol=1e-6)
    flat = torch.full((1, 1, 5, 7), 0.3)
    torch.testing.assert_close(neighbour_means(flat), flat)


def test_the_loss_of_the_identity_is_that_of_the_means(y):
    beta = torch.tensor([3.0, 9.0]).view(2, 1, 1, 1)
    # What it sees of itself is right: beta does not matter.
    found = Revisible(None).loss(nn.Identity(), (y, y, beta))
    expected = 2 * ((neighbour_means(y) - y) ** 2).mean()
    torch.testing.assert_close(found, expected)


def test_both_terms_by_their_formula(y):
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.tensor(0.7))

        def forward(self, x):
            return self.gain * x

    network, beta = Network(), 5.0
    batch = y, y, torch.full((2, 1, 1, 1), beta)
    loss = Revisible(None).loss(network, batch)
    g, e = 0.7 * neighbour_means(y), 0.7 * y
    first = g - y + beta * (e - y)
    expected = (first**2).mean() + ((g - y) ** 2).mean()
    torch.testing.assert_close(loss, expected)
    # The gradient by g alone: that of e is stopped.
    loss.backward()
    means = neighbour_means(y)
    expected = (2 * first * means).mean() + (2 * (g - y) * means).mean()
    torch.testing.assert_close(network.gain.grad, expected)


def test_the_beta_of_a_step_is_in_its_batch(rng):
    settings = first_stage("blind2unblind")
    settings["training"]["iterations"] = 11
    pool = Pool(rng.random((33, 47, 3)).astype(np.float32))
    sampler = stage_of(settings).batches({"noisy": pool}, 4, 16, [0])
    betas = [sampler.draw(step)[2] for step in (0, 4, 7, 10)]
    assert betas[0].shape == (4, 1, 1, 1)
    np.testing.assert_allclose([one.mean() for one in betas], [2, 2, 11, 20])
    y, target, beta = sampler.draw(7, slice(1, 3))
    assert torch.equal(y, target)
    assert torch.equal(y, sampler.draw(7)[0][1:3])
    assert beta.shape == (2, 1, 1, 1)


def test_the_answer_is_the_blind_and_the_visible_pass(y):
    network = Counting()
    found = Unblind(network, cell=4, beta=4)(y)
    assert len(network.seen) == 17
    assert torch.equal(network.seen[16], y)
    for number, mask in enumerate(sites(y, 4), 1):
        own = mask.expand_as(y)
        torch.testing.assert_close(
            found[own], torch.full_like(found[own], (number + 4 * 17) / 5)
        )


def test_without_the_visible_pass_a_pixel_does_not_see_itself(rng):
    network = build(SMALL).double().eval()
    y = torch.tensor(rng.random((1, 3, 17, 15))).requires_grad_()
    for beta, blind in [(0, True), (20, False)]:
        for row, column in [(8, 7), (3, 12)]:
            one = Unblind(network, beta=beta)(y)[0, :, row, column].sum()
            (gradient,) = torch.autograd.grad(one, y)
            seen = gradient.abs().sum(1)[0]
            assert bool(seen[row, column] == 0) == blind
            assert seen[row, column + 1] > 0


def test_an_image_of_any_size_comes_back_and_tiles_agree(rng):
    for channels in (1, 3):
        used = Unblind(build(SMALL, channels).eval())
        for size in [(1, 1), (7, 9), (2, 13)]:
            y = torch.rand(1, channels, *size)
            with torch.inference_mode():
                assert used(y).shape == y.shape
                assert used(y).isfinite().all()
    y = rng.random((217, 131, 3)).astype(np.float32)
    whole, tiled = (
        denoise(used, y, Masking(0.0), [0], (1,), tile)[0] for tile in (256, 128)
    )
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_the_network_is_the_papers():
    told = first_stage("blind2unblind")
    with torch.device("meta"):
        network = build(told["network"])
    assert sum(p.numel() for p in network.parameters()) == 1_102_371
    assert told["options"]["beta"][1] == told["answer"]["beta"]


@pytest.mark.slow
def test_a_tiny_training_denoises_white_noise(rng):
    images = [clean(i, 44, 52) for i in range(20)]
    noisy = [x + 0.1 * rng.standard_normal(x.shape) for x in images]
    pool = Pool(*(y.astype(np.float32) for y in noisy))
    stage = Revisible(None, iterations=150)
    training = Training(150, 1, 24, 1e-2, max_grad_norm=0, ema_decay=0)
    trainer = Trainer(build(SMALL, seed=[1]), training, CPU, turns=stage.turns())
    batches = stage.batches({"noisy": pool}, 1, 24, [0])
    # Of one batch and beta: what is lowered grows with beta on its way.
    fixed, network = batches.draw(149), trainer.model
    before = stage.loss(network, fixed).item()
    for step in range(150):
        trainer.step(*batches.draw(step))
    assert stage.loss(network, fixed).item() < before / 2
    x = clean(1000, 61, 83)
    y = torch.tensor(x + 0.1 * rng.standard_normal(x.shape), dtype=torch.float32)
    with torch.inference_mode():
        found = Unblind(trainer.model.eval())(y.permute(2, 0, 1)[None])
    found = found[0].permute(1, 2, 0).numpy()
    assert ((found - x) ** 2).mean() < 0.1**2 / 2
