"""Wu et al.: likelihood, what learns in each stage, and trainings on white noise."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from mid_config import registry
from mid_core.errors import MidError
from mid_core.methods.unpaired import Draws
from mid_core.methods.wu import negative_log_likelihood
from mid_core.networks import build
from mid_core.trainer import Trainer, Training
from tests.methods.correlated import CPU
from tests.methods.unpaired import (
    SIGMA,
    errors,
    pools,
    small_stage,
    train_stage,
    white,
)

STAGES = registry.method("wu")["stages"]
SMALL = {"name": "dbsn_noise", "width": 8, "blocks": 1, "variance_width": 8}
STUDENT = {"name": "dncnn", "width": 16, "depth": 4}


def numbers(rng):
    y, mean = torch.tensor(rng.random((2, 1, 3, 5, 7)))
    error, noise = torch.tensor(rng.uniform(0.01, 0.2, (2, 1, 3, 5, 7)))
    return y, mean, error, noise


def test_the_likelihood_is_that_of_a_normal_distribution(rng):
    y, mean, error, noise = numbers(rng)
    deviation = (error + noise).sqrt().numpy()
    expected = -stats.norm.logpdf(y, mean, deviation) - 0.5 * np.log(2 * np.pi)
    found = negative_log_likelihood(y, mean, error, noise, constrained=False)
    assert found.item() == pytest.approx(expected.mean())


def test_constrained_it_is_nearly_that_where_the_error_is_small(rng):
    y, mean, error, noise = numbers(rng)
    plain, own = (
        negative_log_likelihood(y, mean, error / 1000, noise, constrained=one)
        for one in (False, True)
    )
    assert own.item() == pytest.approx(plain.item(), abs=1e-4)
    plain, own = (
        negative_log_likelihood(y, mean, error, noise, constrained=one)
        for one in (False, True)
    )
    # ln(1 + t) is below t: a large error costs more.
    ratio = (error / noise).numpy()
    expected = (ratio - np.log1p(ratio)).mean() / 2
    assert (own - plain).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("mean", {"blind"}),
        ("variances", {"variances"}),
        ("together", {"blind", "variances"}),
    ],
)
def test_each_stage_moves_its_own_parts(name, parts):
    before = build(SMALL, seed=[7])
    stage = small_stage(STAGES[name], before)
    network = stage.build(SMALL, 3, [0])
    start = {key: one.clone() for key, one in network.state_dict().items()}
    goes_on = all(torch.equal(start[k], one) for k, one in before.state_dict().items())
    assert goes_on == (name != "mean")
    training = Training(2, 4, 20, learning_rate=1e-2, ema_decay=0)
    trainer = Trainer(network, training, CPU, turns=stage.turns())
    trainer.step(*stage.batches(pools(4), 4, 20, [0]).draw(0))
    after = network.state_dict()
    moved = {k.partition(".")[0] for k in start if not torch.equal(after[k], start[k])}
    assert moved == parts


def test_the_mean_that_stays_gives_the_likelihood_of_the_whole():
    before = build(SMALL)
    stages = (small_stage(STAGES[name], before) for name in ("variances", "together"))
    batch = torch.rand(2, 2, 3, 9, 11).unbind()
    frozen, whole = (stage.loss(before, batch).item() for stage in stages)
    assert frozen == pytest.approx(whole)


def test_another_network_before_is_refused():
    stage = small_stage(STAGES["together"], build(SMALL | {"width": 6}))
    with pytest.raises(MidError, match="same network"):
        stage.build(SMALL, 3, [0])


class Known(nn.Module):
    """Estimates a half everywhere, and a level that grows with brightness."""

    def forward(self, y):
        return torch.full_like(y, 0.5)

    def level(self, x):
        return 0.1 + 0.2 * x


def test_the_noise_for_clean_crops_has_the_level_that_was_found():
    stage = small_stage(STAGES["student"], Known())
    x = torch.full((40, 3, 30, 30), 0.25)
    x[..., 15:] = 1.0
    noise = stage.noise(x, Draws(torch.arange(40), CPU))
    left, right = noise[..., :15].std().item(), noise[..., 15:].std().item()
    assert left == pytest.approx(0.15, rel=0.03)
    assert right == pytest.approx(0.3, rel=0.03)
    # A tenth stronger or weaker; the same for a whole crop, and another for each.
    own = noise[..., 15:].std(dim=(1, 2, 3)) / 0.3
    assert 0.85 < own.min() < 0.93
    assert 1.07 < own.max() < 1.15


@pytest.mark.parametrize(("crops", "noisy"), [(16, 2), (8, 1), (2, 1)])
def test_the_student_sees_both_kinds(crops, noisy):
    stage = small_stage(STAGES["student"], Known())
    y, x, seeds = batch = stage.batches(pools(4), crops, 20, [0]).draw(0)
    seen = []
    found = stage.loss(lambda one: seen.append(one) or one, batch)
    (shown,) = seen
    assert len(shown) == crops
    torch.testing.assert_close(shown[:noisy], y[:noisy])
    noise = stage.noise(x[noisy:], Draws(seeds[noisy:], CPU))
    torch.testing.assert_close(shown[noisy:], x[noisy:] + noise)
    own = 0.1 * ((y[:noisy] - 0.5) ** 2).mean() + (noise**2).mean()
    assert found.item() == pytest.approx(own.item(), rel=1e-5)


def test_a_batch_without_room_for_both_is_refused():
    stage = small_stage(STAGES["student"], Known())
    with pytest.raises(MidError, match=r"raise training\.batch_size"):
        stage.batches(pools(4), 1, 20, [0])


@pytest.mark.slow
def test_the_chain_denoises_white_noise_and_finds_its_level():
    plans = [("mean", 300, 5e-3), ("variances", 150, 5e-3), ("together", 100, 2e-3)]
    before = None
    for name, steps, rate in plans:
        stage = small_stage(STAGES[name], before)
        before, losses = train_stage(stage, SMALL, steps, rate, noise=white)
        if name != "together":
            assert np.mean(losses[-10:]) < np.mean(losses[:3])
    noisy, fused = errors(before, white)
    blind = errors(lambda y: before.estimates(y)[0], white)[1]
    assert blind < noisy / 2
    # The noise counts what the mean misses as its own.
    x = torch.full((1, 3, 16, 16), 0.5)
    found, missed = before.level(x).mean().item() ** 2, blind / SIGMA**2
    assert 0.8 < found / SIGMA**2 < 1.2 + missed
    assert fused < 1.02 * blind
    stage = small_stage(STAGES["student"], before)
    student, losses = train_stage(stage, STUDENT, 120, 5e-3, noise=white)
    assert np.mean(losses[-10:]) < np.mean(losses[:3]) / 2
    assert errors(student, white)[1] < noisy / 3
