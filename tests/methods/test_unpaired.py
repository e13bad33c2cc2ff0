"""What methods without pairs are shown, and what trainings against a critic share."""

import numpy as np
import pytest
import torch
from torch import nn

from mid_core.errors import MidError
from mid_core.methods.adversary import critic_loss, score, unlearning
from mid_core.methods.unpaired import Draws, UnpairedCrops
from mid_core.patches import InMemory
from tests.methods.correlated import CPU


def numbered(name, first, height, width, colours=3):
    count = height * width * colours
    values = first + np.arange(count, dtype=np.float32) / count
    return InMemory([(name, values.reshape(height, width, colours))])


def crops(noisy=True, batch_size=6):
    other = numbered("y", 2.0, 21, 33) if noisy else None
    return UnpairedCrops(numbered("x", 0.0, 33, 27), other, batch_size, 16, [3])


def test_both_kinds_come_from_their_pools_at_places_of_their_own():
    y, x, seeds = crops().draw(0)
    assert x.shape == y.shape == (6, 3, 16, 16)
    assert seeds.shape == (6, 1, 1, 1)
    assert x.max() < 1
    assert y.min() >= 2
    # Numbers of neighbours within a crop: the images have 27 and 33 columns.
    steps = {
        round(((y - 2) * 21 * 33).diff(dim=d).abs().median().item()) for d in (2, 3)
    }
    assert steps == {1, 33}
    assert len(set(seeds.flatten().tolist())) == 6


def test_shards_are_the_batch_and_steps_differ():
    whole, later = crops().draw(5), crops().draw(6)
    halves = [crops().draw(5, part) for part in (slice(0, 3), slice(3, 6))]
    for i, tensor in enumerate(whole):
        assert torch.equal(tensor, torch.cat([half[i] for half in halves]))
        assert not torch.equal(tensor, later[i])


def test_without_noisy_images_both_are_the_clean_crop():
    y, x, _ = crops(noisy=False).draw(0)
    assert torch.equal(y, x)
    assert {crop.pool for crop in crops(noisy=False).origins(0)} == {"clean images"}
    assert {crop.pool for crop in crops().origins(0)} == {
        "clean images",
        "noisy images",
    }


def test_pools_of_other_kinds_or_too_small_are_refused():
    grey = numbered("y", 0.0, 30, 30, colours=1)
    with pytest.raises(MidError, match=r"1 colour\(s\) but the clean ones 3"):
        UnpairedCrops(numbered("x", 0.0, 33, 27), grey, 2, 16, [0])
    with pytest.raises(MidError, match="'y' is 30x30 pixels"):
        UnpairedCrops(numbered("x", 0.0, 40, 40, 1), grey, 2, 32, [0])


def test_draws_belong_to_their_image_and_go_on():
    seeds = torch.tensor([4, 9, 4]).view(3, 1, 1, 1)
    draws = Draws(seeds, CPU)
    first, second = draws.normal(2, 5, 7), draws.normal(2, 5, 7)
    assert first.shape == (3, 2, 5, 7)
    assert torch.equal(first[0], first[2])
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)
    torch.testing.assert_close(Draws(seeds[1:], CPU).normal(2, 5, 7), first[1:])


def test_draws_are_of_their_distributions():
    draws = Draws(torch.arange(2), CPU)
    normal, uniform = draws.normal(100, 100), draws.uniform(100, 100)
    # Of 20000 numbers; five standard deviations of their mean.
    assert abs(normal.mean()) < 5 / 20000**0.5
    assert normal.std() == pytest.approx(1, abs=0.03)
    assert uniform.mean() == pytest.approx(0.5, abs=5 * 0.29 / 20000**0.5)
    assert uniform.min() >= 0
    assert 0.999 < uniform.max() < 1


class Plane(nn.Module):
    """A critic that is linear: weight times each value."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x):
        return self.weight * x.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("weight", [0.5, 1.0, -2.0])
def test_the_critics_loss_is_the_distance_and_the_penalty_of_the_slope(weight):
    real, fake = torch.full((2, 3, 4, 5), 0.7), torch.full((2, 3, 4, 5), 0.2)
    draws = Draws(torch.arange(2), CPU)
    found = critic_loss(Plane(weight), real, fake, draws, penalty=10.0)
    # 60 values, a map of 20: each value's slope is the weight over the root of 20.
    slope = abs(weight) * (60 / 20) ** 0.5
    distance = weight * (0.2 - 0.7) * 60 / 20**0.5
    assert found.item() == pytest.approx(distance + 10 * (slope - 1) ** 2, rel=1e-4)


def test_the_slope_of_a_score_is_that_of_any_size():
    slopes = []
    for shape in [(1, 3, 5, 7), (1, 3, 20, 31)]:
        x = torch.rand(shape).requires_grad_()
        (slope,) = torch.autograd.grad(score(Plane(1.5), x).sum(), x)
        slopes.append(slope.norm().item())
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-5)


def test_the_penalty_reaches_the_critic_and_no_generator():
    critic = nn.Sequential(nn.Conv2d(3, 4, 3), nn.PReLU(), nn.Conv2d(4, 1, 3))
    y = torch.rand(2, 3, 9, 8)
    fake = torch.rand(2, 3, 9, 8).requires_grad_()
    loss = critic_loss(critic, y, fake, Draws(torch.arange(2), CPU), 10.0)
    loss.backward()
    assert fake.grad is None
    # The last bias moves real and fake alike.
    named = list(critic.named_parameters())[:-1]
    assert all(p.grad.abs().max() > 0 for _, p in named)


def test_a_critic_that_does_not_learn_lets_gradients_through():
    critic = nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4), nn.Conv2d(4, 1, 3))
    x = torch.rand(2, 3, 9, 8).requires_grad_()
    found = unlearning(critic, x)
    torch.testing.assert_close(found, critic(x))
    (found**2).sum().backward()
    assert x.grad.abs().max() > 0
    assert all(p.grad is None for p in critic.parameters())
    assert all(p.requires_grad for p in critic.parameters())
