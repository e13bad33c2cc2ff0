"""What a step lowers: of a whole network, or of its parts in turn."""

import pytest
import torch
from torch import nn

from mid_core.checkpoints.trainer_state import restore, state_of
from mid_core.losses import ERRORS, Turn, regression
from mid_core.trainer import Trainer, Training

CPU = torch.device("cpu")
RATE = 0.25
BATCH = torch.full((2, 1, 3, 5), 4.0), torch.full((2, 1, 3, 5), 7.0)


class Pair(nn.Module):
    """Two numbers that learn, and one that does not."""

    def __init__(self):
        super().__init__()
        self.a, self.b = _Number(1.0), _Number(2.0)
        self.still = _Number(3.0)

    def forward(self, x):
        return self.a.value * x

    @property
    def numbers(self):
        return [one.value.item() for one in (self.a, self.b, self.still)]


class _Number(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value]))


def loss_of_a(network, batch):
    """Its gradient reaches all three."""
    y, _ = batch
    own = network.a.value * network.b.value * network.still.value
    return (own * y).mean()


def loss_of_b(network, batch):
    _, x = batch
    return (network.b.value * network.a.value * x).mean()


TURNS = [Turn("a", loss_of_a), Turn("b", loss_of_b)]


def trainer(turns=TURNS, network=None, **changes):
    settings = {"iterations": 6, "batch_size": 2, "patch_size": 3} | changes
    settings = {"learning_rate": RATE, "max_grad_norm": 0, "ema_decay": 0} | settings
    return Trainer(network or Pair(), Training(**settings), CPU, turns=turns)


@pytest.fixture
def plain_steps(monkeypatch):
    """A step is the rate times the gradient."""

    def plain(parameters, lr, betas, fused):
        return torch.optim.SGD(parameters, lr)

    monkeypatch.setattr(torch.optim, "Adam", plain)


def test_each_part_learns_by_its_own_loss_and_sees_the_one_before(plain_steps):
    network = Pair()
    trained = trainer(network=network)
    assert trained.step(*BATCH)
    # d/da of 4 a b s is 4 * 2 * 3; then d/db of 7 b a is 7 times the new a.
    a = 1 - RATE * 24
    assert network.numbers == pytest.approx([a, 2 - RATE * 7 * a, 3])
    # What is reported is the sum: 4 * 1 * 2 * 3, and 7 * 2 times the new a.
    assert trained.recent_losses() == pytest.approx([24 + 14 * a])


def test_the_order_is_that_of_the_turns(plain_steps):
    network = Pair()
    trainer(TURNS[::-1], network).step(*BATCH)
    b = 2 - RATE * 7
    assert network.numbers == pytest.approx([1 - RATE * 4 * b * 3, b, 3])


def test_the_whole_network_is_named_by_nothing(plain_steps):
    network = Pair()
    trainer([Turn("", loss_of_a)], network).step(*BATCH)
    assert network.numbers == pytest.approx(
        [1 - RATE * 24, 2 - RATE * 12, 3 - RATE * 8]
    )


def test_each_part_has_its_own_means():
    trained = trainer([Turn("a", loss_of_a, betas=(0.5, 0.75)), Turn("b", loss_of_b)])
    trained.step(*BATCH)
    # Of the first gradients, 24 and nearly 7, a half and a tenth.
    own = [trained.optimizers[part].state for part in ("a", "b")]
    (a,), (b,) = (state.values() for state in own)
    assert a["exp_avg"].item() == pytest.approx(0.5 * 24)
    assert a["exp_avg_sq"].item() == pytest.approx(0.25 * 24**2)
    assert b["exp_avg"].item() == pytest.approx(0.1 * 7 * (1 - RATE))


def test_the_rate_of_each_part_falls():
    trained = trainer(iterations=2, min_learning_rate=0.05)
    trained.step(*BATCH)
    rates = [s.get_last_lr() for s in trained.schedules.values()]
    assert list(trained.schedules) == ["a", "b"]
    assert rates == [[pytest.approx((RATE + 0.05) / 2)]] * 2


def batch(step):
    generator = torch.Generator().manual_seed(step)
    return tuple(torch.rand(2, 1, 3, 5, generator=generator) for _ in range(2))


@pytest.mark.parametrize("ema_decay", [0, 0.9])
def test_two_parts_go_on_bit_by_bit(ema_decay):
    whole, first, second = (trainer(ema_decay=ema_decay) for _ in range(3))
    for step in range(6):
        whole.step(*batch(step))
    for step in range(3):
        first.step(*batch(step))
    restore(second, state_of(first))
    for step in range(3, 6):
        second.step(*batch(step))
    assert second.network.numbers == whole.network.numbers
    assert second.model.numbers == whole.model.numbers
    assert second.recent_losses() == whole.recent_losses()
    assert second.network.numbers != first.network.numbers
    for part, optimizer in whole.optimizers.items():
        own = second.optimizers[part].state_dict()
        assert own == optimizer.state_dict()
    assert second.schedules["b"].get_last_lr() == whole.schedules["b"].get_last_lr()


def test_a_part_whose_gradient_is_not_finite_leaves_the_step_out():
    network = Pair()
    turns = [Turn("a", lambda net, batch: loss_of_a(net, batch) * torch.nan)]
    settings = Training(6, 2, 3, RATE, max_grad_norm=0, ema_decay=0)
    trained = Trainer(network, settings, CPU, skip_steps=1, turns=turns)
    assert not trained.step(*BATCH)
    assert network.numbers == [1, 2, 3]
    assert (trained.steps, trained.skipped) == (1, 1)
    assert trained.recent_losses() == []


@pytest.mark.parametrize(
    ("error", "expected"), [("mse", 9), ("l1", 3), ("charbonnier", 3.0000001667)]
)
def test_the_error_of_a_regression(error, expected):
    found = regression(error).loss(nn.Identity(), BATCH)
    assert found.item() == pytest.approx(expected, abs=1e-6)
    assert list(ERRORS) == ["mse", "l1", "charbonnier"]
