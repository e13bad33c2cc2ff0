"""APR-RD: how neighbours change places, its loss, and tiny trainings of both stages."""

import numpy as np
import pytest
import torch
from torch import nn

from mid_config import registry
from mid_core.methods import stage_of
from mid_core.methods.apr_rd import PAIRS, Swapped, neighbour
from mid_core.methods.holes import Student
from mid_core.networks import build
from mid_core.networks.shifted_unet import shift_of
from tests.conftest import Pool
from tests.methods.correlated import Pictures

STAGES = registry.method("apr_rd")["stages"]
BLIND = {"name": "shifted_unet", "width": 4}
UNET = {"name": "skip_unet", "width": 4, "ending": "tm_bsn"}


def test_the_networks_and_the_holes_are_the_papers():
    with torch.device("meta"):
        networks = [build(stage["network"]) for stage in STAGES.values()]
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert sizes == [1_268_547, 1_021_107]
    holes = STAGES["student"]["options"]["holes"]
    assert [shift_of(hole) for hole in holes] == [0, 1, 2, 3, 4, 5]
    assert isinstance(stage_of(STAGES["student"]), Student)
    assert (shift_of(9), networks[0].hole) == (5, 1)


def test_pairs_are_all_of_two_different_places():
    assert len(set(PAIRS)) == 72
    assert all(one != other for one, other in PAIRS)


def test_a_neighbour_by_its_number(rng):
    y = torch.tensor(rng.random((2, 3, 5, 7)))
    for number in range(9):
        down, right = number // 3 - 1, number % 3 - 1
        rows = np.clip(np.arange(5) + down, 0, 4)
        columns = np.clip(np.arange(7) + right, 0, 6)
        found = neighbour(y, torch.full((2, 1, 5, 7), number))
        np.testing.assert_array_equal(found, y[:, :, rows][..., columns])


def test_each_pixel_has_a_pair_of_its_own(rng):
    noisy = Pool(rng.random((33, 47, 3)).astype(np.float32))
    y, target, choice = Swapped(None).batches({"noisy": noisy}, 4, 32, [0]).draw(0)
    assert torch.equal(y, target)
    assert choice.shape == (4, 1, 32, 32)
    counts = torch.bincount(choice.flatten().int(), minlength=72)
    assert len(counts) == 72
    # 4096 draws of 72: in six standard deviations.
    assert (counts - 4096 / 72).abs().max() < 6 * (4096 / 72) ** 0.5


def batch(rng):
    y = torch.tensor(rng.random((2, 3, 9, 11)), dtype=torch.float32)
    return y, y, torch.tensor(rng.integers(0, 72, (2, 1, 9, 11)))


class Linear(nn.Module):
    """f(y) = gain y, whatever the hole; notes the hole."""

    def __init__(self, gain):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, y, hole):
        assert hole == 9
        return self.gain * y


def test_the_loss_by_its_formula(rng):
    y, _, choice = told = batch(rng)
    network = Linear(0.8)
    loss = Swapped(None).loss(network, told)
    pairs = torch.tensor(PAIRS)[choice]
    one, other = (neighbour(y, pairs[..., i]) for i in (0, 1))
    error, expected = 0.8 * one - other, 0.8 * (one - other)
    wanted = error.abs().mean() + 4 * (error - expected).abs().mean()
    torch.testing.assert_close(loss, wanted)
    # Of the second term 0.8 h2 y - h2 y is left: its gradient has f(y) in it.
    loss.backward()
    slope = (error.sign() * one).mean() + 4 * (-other).mean()
    torch.testing.assert_close(network.gain.grad, slope)


def test_the_second_term_is_zero_for_the_identity(rng):
    y, _, choice = told = batch(rng)
    pairs = torch.tensor(PAIRS)[choice]
    first = neighbour(y, pairs[..., 0]) - neighbour(y, pairs[..., 1])
    for regularizer in (0, 4):
        stage = Swapped(None, regularizer=regularizer)
        torch.testing.assert_close(stage.loss(Linear(1.0), told), first.abs().mean())


@pytest.mark.slow
def test_the_chain_denoises(rng):
    pictures, before = Pictures(rng), None
    for name, settings in [("teacher", BLIND), ("student", UNET)]:
        own = {"hole": 5} if name == "teacher" else {"holes": [0, 3, 5]}
        stage = stage_of(
            STAGES[name] | {"options": STAGES[name]["options"] | own}, before
        )
        network = stage.build(settings, 3, [0])
        first, last = pictures.train(stage, network, 40)
        assert last < 0.8 * first
        before = stage.trained(network)
    assert pictures.error(before) < 0.8 * pictures.error(lambda y: y)
