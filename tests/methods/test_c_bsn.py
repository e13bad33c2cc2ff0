"""C-BSN: one network blind and seeing, its three terms, and a tiny training."""

import numpy as np
import pytest
import torch
from torch import nn

from mid_core.errors import MidError
from mid_core.methods import stage_of
from mid_core.methods.c_bsn import Conditional, sub_sample
from mid_core.networks import build
from mid_core.networks.c_bsn import CBSN
from mid_core.networks.layers import sub_images
from mid_core.trainer import Trainer, Training
from tests.conftest import Pool
from tests.methods.correlated import CPU, first_stage, pool, squared_errors

SMALL = {"name": "c_bsn", "width": 8, "modules": 1}


def test_the_parameters_are_as_many_as_published():
    with torch.device("meta"):
        network = CBSN()
    assert sum(p.numel() for p in network.parameters()) == 3_656_131


def seen_offsets(blind):
    """Offsets (rows, columns) whose pixels have an effect on the output at a pixel."""
    seen = set()
    for seed in range(4):
        network = build(SMALL | {"width": 16}, seed=[seed]).double()
        for row, column in [(12, 13), (11, 14)]:
            y = torch.rand(1, 3, 25, 29, dtype=torch.float64, requires_grad=True)
            network(y, blind=blind)[0, :, row, column].sum().backward()
            rows, columns = y.grad[0].abs().sum(0).nonzero().T
            found = (rows - row).tolist(), (columns - column).tolist()
            seen |= set(zip(*found, strict=True))
    return seen


def test_it_is_blind_or_sees_all():
    # Reaches of 3 and of 5; blind, without pixels on the grid of either.
    square = {(i, j) for i in range(-5, 6) for j in range(-5, 6)}
    inner = {(i, j) for i, j in square if max(abs(i), abs(j)) <= 3}
    assert seen_offsets(blind=False) == square
    blind = {(i, j) for i, j in inner if i % 2 or j % 2}
    blind |= {(i, j) for i, j in square if i % 3 or j % 3}
    assert seen_offsets(blind=True) == blind
    assert (0, 0) not in blind


def test_a_call_does_not_change_the_next_one(rng):
    network = build(SMALL).eval()
    y = torch.tensor(rng.random((1, 3, 17, 23)), dtype=torch.float32)
    with torch.inference_mode():
        first, blind, last = network(y), network(y, blind=True), network(y)
    assert torch.equal(first, last)
    assert not torch.equal(first, blind)


def test_the_answer_goes_on_by_reflection(rng):
    network = build(SMALL).double()
    y = rng.random((1, 3, 17, 23))
    around = np.pad(y, ((0, 0), (0, 0), (9, 9), (9, 9)), mode="reflect")
    with torch.no_grad():
        expected = network.train()(torch.tensor(around))[..., 9:-9, 9:-9]
        torch.testing.assert_close(network.eval()(torch.tensor(y)), expected)


def test_a_sub_sample_has_one_pixel_of_each_cell(rng):
    y = torch.tensor(rng.random((2, 3, 6, 10)))
    cells = torch.tensor(rng.integers(0, 4, (2, 1, 3, 5)))
    found = sub_sample(y, cells)
    for n, i, j in [(0, 0, 0), (1, 2, 4), (0, 1, 3)]:
        row, column = divmod(int(cells[n, 0, i, j]), 2)
        assert torch.equal(found[n, :, i, j], y[n, :, 2 * i + row, 2 * j + column])


class Gains(nn.Module):
    """Multiplies by one number when blind, and by another when it sees."""

    def __init__(self):
        super().__init__()
        self.blind = nn.Parameter(torch.tensor(0.5))
        self.seeing = nn.Parameter(torch.tensor(0.9))

    def forward(self, y, blind):
        return (self.blind if blind else self.seeing) * y


def test_the_three_terms(rng):
    y = torch.tensor(rng.random((2, 3, 10, 20)), dtype=torch.float32)
    choice = torch.tensor(rng.integers(0, 4, (2, 1, 10, 20)))
    weight, network = torch.tensor([0.3, 0.6]).view(2, 1, 1, 1), Gains()
    loss = Conditional(None).loss(network, (y, y, choice, weight))
    picked = sub_sample(y, choice[..., ::2, ::2])
    terms = 0.1 * y.mean((1, 2, 3)) + 2 * 0.4 * picked.mean((1, 2, 3))
    expected = 0.5 * y.mean() + (weight.flatten() * terms).mean()
    torch.testing.assert_close(loss, expected)
    # The blind network learns from the first term alone.
    loss.backward()
    torch.testing.assert_close(network.blind.grad, -y.mean())
    slope = -y.mean((1, 2, 3)) + 2 * picked.mean((1, 2, 3))
    torch.testing.assert_close(network.seeing.grad, (weight.flatten() * slope).mean())


def test_the_blind_term_is_that_of_sub_images(rng):
    y = torch.tensor(rng.random((1, 3, 10, 20)), dtype=torch.float32)
    seen = []

    def network(x, blind):
        seen.append((x, blind))
        return x

    weight = torch.zeros(1, 1, 1, 1)
    choice = torch.zeros(1, 1, 10, 20)
    Conditional(None).loss(network, (y, y, choice, weight))
    assert [blind for _, blind in seen] == [True, False, True]
    assert torch.equal(seen[0][0], sub_images(y, 5))
    assert torch.equal(seen[2][0], y[..., ::2, ::2])


def test_the_seeing_network_comes_in_slowly(rng):
    settings = first_stage("c_bsn")
    settings["training"]["iterations"] = 100
    noisy = Pool(rng.random((33, 47, 3)).astype(np.float32))
    sampler = stage_of(settings).batches({"noisy": noisy}, 2, 20, [0])
    found = [sampler.draw(step)[3].flatten().tolist() for step in (0, 10, 40, 99)]
    np.testing.assert_allclose(found, [[0, 0], [0.25, 0.25], [1, 1], [1, 1]])
    y, target, choice, _ = sampler.draw(0)
    assert torch.equal(y, target)
    assert sorted(choice.unique().tolist()) == [0, 1, 2, 3]


def test_crops_that_cannot_be_cut_are_refused(rng):
    noisy = Pool(rng.random((33, 47, 3)))
    with pytest.raises(MidError, match=r"patch_size is 25, which is no multiple"):
        Conditional(None).batches({"noisy": noisy}, 1, 25, [0])


@pytest.mark.slow
def test_a_tiny_training_denoises_correlated_noise():
    stage = Conditional(None, iterations=120)
    network = stage.build(SMALL | {"width": 16, "modules": 0}, 3, [1])
    training = Training(120, 1, 40, 5e-3, max_grad_norm=1, ema_decay=0)
    trainer = Trainer(network, training, CPU, turns=stage.turns())
    batches = stage.batches({"noisy": pool(20)}, 1, 40, [0])
    blind = []
    for step in range(120):
        batch = batches.draw(step)
        if step % 10 == 0:
            with torch.no_grad():
                blind.append(stage.loss(network, (*batch[:3], 0 * batch[3])).item())
        trainer.step(*batch)
    assert blind[-1] < blind[0] / 1.5
    before, after = squared_errors(network.eval())
    assert after < before / 1.5
