"""SASL: the weight between its teachers, what learns in each stage, and trainings."""

import numpy as np
import pytest
import torch
from torch import nn

from mid_config import registry
from mid_core.errors import MidError
from mid_core.methods import stage_of
from mid_core.methods.sasl import local_weight
from mid_core.networks import build
from tests.methods.correlated import Pictures

STAGES = registry.method("sasl")["stages"]
BLIND = {"name": "shifted_unet", "width": 4}
PAIR = {"name": "blind_pair", "width": 4, "local_width": 8, "local_blocks": 2}
UNET = {"name": "skip_unet", "width": 4}


@pytest.fixture
def batch(rng):
    y = torch.tensor(rng.random((2, 3, 32, 32)), dtype=torch.float32)
    return y, y


def test_the_networks_are_the_papers():
    with torch.device("meta"):
        networks = [build(stage["network"]) for stage in STAGES.values()]
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert sizes == [1_268_547, 1_268_547 + 94_939, 1_083_747]


def board(std):
    """A grey image whose 7x7 windows deviate by so many grey levels, or nearly so."""
    rows, columns = torch.meshgrid(torch.arange(23), torch.arange(19), indexing="ij")
    # Of 49 pixels 25 are of one kind: the deviation is sqrt(25 * 24) / 49 of a step.
    step = std / (25 * 24) ** 0.5 * 49
    plane = 0.3 + ((rows + columns) % 2) * step / 255
    return plane.double().expand(1, 3, -1, -1)


@pytest.mark.parametrize(
    ("std", "weight"),
    [
        (0.0, 0.268941),
        (0.5, 0.377541),
        (0.999, 0.49975),
        (1.001, 0.5),
        (3.0, 0.5),
        (4.99, 0.5),
        (6.0, 0.731059),
        (10.1, 0.993940),
    ],
)
def test_the_weight_of_the_local_network(std, weight):
    found = local_weight(board(std))
    assert found.shape == (1, 1, 23, 19)
    # At the border the reflection changes nothing about a board.
    np.testing.assert_allclose(found.numpy(), weight, atol=1e-5)


def test_colours_count_by_their_mean():
    x = board(20.0).clone()
    x[:, 0] = 0.9 - x[:, 1]
    x[:, 2] = 0.5
    np.testing.assert_allclose(local_weight(x).numpy(), 0.268941, atol=1e-5)


def test_the_pair_holds_the_network_before_frozen(batch):
    blind = build(BLIND, seed=[3]).eval()
    stage = stage_of(STAGES["local"], blind)
    pair = stage.build(PAIR, 3, [1])
    before = {name: value.clone() for name, value in pair.state_dict().items()}
    for name, value in blind.state_dict().items():
        assert torch.equal(before[f"blind.{name}"], value), name
    # Only what learns gets a gradient, and with it an optimiser moves it.
    optimizer = torch.optim.Adam(pair.parameters(), lr=1e-2, fused=True)
    stage.loss(pair.train(), batch).backward()
    optimizer.step()
    moved = {n for n, v in pair.state_dict().items() if not torch.equal(v, before[n])}
    assert {name.partition(".")[0] for name in moved} == {"local"}
    assert all(p.grad is None for p in [*blind.parameters(), *pair.blind.parameters()])
    for name, value in blind.state_dict().items():
        assert torch.equal(before[f"blind.{name}"], value), name


def test_another_width_is_refused():
    stage = stage_of(STAGES["local"], build({"name": "shifted_unet", "width": 3}))
    with pytest.raises(MidError, match=r"network\.width"):
        stage.build(PAIR, 3, [1])


def test_the_local_network_learns_the_blind_estimate(batch):
    blind = build(BLIND).eval()
    stage = stage_of(STAGES["local"], blind)
    pair = stage.build(PAIR, 3, [1])
    with torch.no_grad():
        found, wanted = stage.loss(pair, batch), blind(batch[0], hole=9)
        estimate = pair.local(batch[0])
    assert found.item() == pytest.approx((estimate - wanted).abs().mean().item())


class Fixed(nn.Module):
    """Answers alike, whatever it is shown."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, y):
        return self.answer

    def predictions(self, y, holes):
        assert holes == [9]
        return [self.answer]


def pair_of(blind, local):
    pair = nn.Module()
    pair.blind, pair.local = Fixed(blind), Fixed(local)
    return pair


def test_the_last_loss_weighs_both_teachers():
    blind, x = board(0.0), torch.full((1, 3, 23, 19), 0.5).double()
    local, y = blind - 0.1, torch.zeros_like(blind)
    loss = stage_of(STAGES["unet"], pair_of(blind, local)).loss(Fixed(x), (y, y))
    # 0.2 from one and 0.3 from the other.
    assert loss.item() == pytest.approx(0.2 + 0.1 * 0.268941, abs=1e-6)


def test_it_is_zero_where_all_agree(batch):
    x = batch[0] / 2
    stage = stage_of(STAGES["unet"], pair_of(x, x))
    assert stage.loss(Fixed(x), batch).item() == 0


def test_gradients_reach_the_last_network_only(batch):
    pair = build(PAIR).eval()
    stage = stage_of(STAGES["unet"], pair)
    network = stage.build(UNET, 3, [0])
    stage.loss(network, batch).backward()
    assert all(p.grad is None for p in pair.parameters())
    assert all(p.grad is not None for p in network.parameters())


def test_the_chain_denoises(rng):
    pictures, before = Pictures(rng), None
    plans = [("teacher", BLIND, 50), ("local", PAIR, 50), ("unet", UNET, 50)]
    for name, settings, steps in plans:
        stage = stage_of(STAGES[name] | {"options": {"hole": 5}}, before)
        network = stage.build(settings, 3, [0])
        first, last = pictures.train(stage, network, steps)
        assert last < 0.7 * first
        before = stage.trained(network)
    assert pictures.error(before) < 0.8 * pictures.error(lambda y: y)
