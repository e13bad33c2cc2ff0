from dataclasses import replace

import numpy as np
import pytest
import torch

from mid_core.batches import Batches
from mid_core.checkpoints.trainer_state import restore, state_of
from mid_core.errors import MidError, NotFinite
from mid_core.losses import ERRORS
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.trainer import Trainer, Training
from mid_core.training import train
from tests.conftest import TINY, Pool

CPU = torch.device("cpu")


@pytest.fixture
def batches(rng):
    ramp = np.linspace(0, 255, 41).astype(np.uint8)
    clean = np.broadcast_to(ramp[:, None, None], (41, 33, 3)).copy()
    noise = rng.normal(0, 0.1, (29, 37, 3)).astype(np.float16)
    return Batches(Pool(clean), Pool(noise), 4, 16, Masking(0.5), True, [0, 1])


def trainer(seed=0, **changes):
    settings = Training(
        **{"iterations": 30, "batch_size": 4, "patch_size": 16} | changes
    )
    return Trainer(build(TINY, seed=[seed]), settings, CPU)


def skipping(*bad_steps, skip=1, network=TINY, **changes):
    """A trainer whose images are no numbers at some steps, and which skips some."""
    settings = Training(
        **{"iterations": 9, "batch_size": 4, "patch_size": 16} | changes
    )
    trained = Trainer(build(network, seed=[0]), settings, CPU, skip_steps=skip)
    step = trained.step
    trained.step = lambda y, x: step(
        y * (np.nan if trained.steps + 1 in bad_steps else 1), x
    )
    return trained


def run(batches, seed=0, **changes):
    rows, trained = [], trainer(seed, **changes)
    train(trained, batches, lambda *row: rows.append(row), 10)
    return trained.model, rows


def test_same_seed_same_weights_and_history(batches):
    torch.manual_seed(1)
    first, rows = run(batches)
    torch.manual_seed(2)
    again, same_rows = run(batches)
    assert rows == same_rows
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    other, _ = run(batches, seed=1)
    assert not torch.equal(first.intro.weight, other.intro.weight)


def test_the_loss_falls_and_the_rate_follows_a_cosine(batches):
    _, rows = run(batches, iterations=120, learning_rate=4e-3, min_learning_rate=1e-6)
    steps, losses, rates = map(np.array, zip(*rows, strict=True))
    assert losses[-1] < 0.6 * losses[0]
    # Rate at step t (from 1) by the definition of a cosine over 120 steps.
    expected = 1e-6 + (4e-3 - 1e-6) * (1 + np.cos(np.pi * (steps - 1) / 120)) / 2
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_the_model_is_the_running_mean_of_the_weights(batches):
    # After one step the mean is that step's weights.
    mean, _ = run(batches, iterations=1, ema_decay=0.9)
    last, _ = run(batches, iterations=1, ema_decay=0)
    for a, b in zip(mean.parameters(), last.parameters(), strict=True):
        assert torch.equal(a, b)
    mean, _ = run(batches, iterations=2, ema_decay=0.9)
    one, _ = run(batches, iterations=1, ema_decay=0, learning_rate=4e-4)
    # The cosine of two steps starts like that of one: the first step is shared.
    two, _ = run(batches, iterations=2, ema_decay=0)
    a, b, m = (n.ending.weight for n in (one, two, mean))
    torch.testing.assert_close(m, 0.9 * a + 0.1 * b, rtol=1e-5, atol=1e-7)


def test_gradient_clipping_bounds_a_plain_step(batches, monkeypatch):
    monkeypatch.setattr(
        torch.optim,
        "Adam",
        lambda parameters, lr, betas, fused: torch.optim.SGD(parameters, lr),
    )
    start = build(TINY, seed=[0])
    model, _ = run(
        batches, iterations=1, ema_decay=0, learning_rate=1.0, max_grad_norm=1e-3
    )
    change = sum(
        ((a - b) ** 2).sum()
        for a, b in zip(start.parameters(), model.parameters(), strict=True)
    )
    assert change.sqrt().item() == pytest.approx(1e-3, rel=1e-3)


def test_an_image_that_is_not_finite_is_named(batches, caplog):
    other = batches.noise.images[0].copy()
    other[:] = np.nan
    noise = Pool(*(39 * [batches.noise.images[0]]), other)
    batches = replace(batches, noise=noise)
    # The first batch with a crop of image 39, by a draw of its own.
    first = next(t for t in range(99) if batches.draw(t)[0].isnan().any())
    assert first > 0
    message = (
        rf"step {first + 1} is not finite \(seed \[0, 1\].*nor is 'image 39' of the "
    )
    with pytest.raises(NotFinite, match=message + "noise at row"):
        run(batches)
    assert f"step {first + 1} saw 'image 0' of the clean images" in caplog.text


def test_a_training_that_diverges_is_told_from_bad_images(batches):
    with pytest.raises(NotFinite, match=r"step \d+ is not finite.*its images are"):
        run(batches, learning_rate=1e30, max_grad_norm=0)


def test_weights_that_break_at_the_last_step_are_no_model(batches):
    trained = trainer(iterations=1)
    step, bias = trained.step, trained.network.intro.bias
    trained.step = lambda y, x: (step(y, x), bias.data.fill_(np.inf))
    with pytest.raises(NotFinite, match="step 1 is not finite"):
        train(trained, batches)


@pytest.mark.parametrize("clip", [0, 1.0])
def test_a_step_that_is_not_finite_is_skipped(batches, caplog, clip):
    trained, rows = skipping(4, max_grad_norm=clip), []
    train(trained, batches, lambda *row: rows.append(row), 3)
    assert (trained.steps, trained.skipped) == (9, 1)
    for tensor in (*trained.network.parameters(), *trained.model.parameters()):
        assert tensor.isfinite().all()
    assert "step 4 is not finite and is skipped" in caplog.text
    assert "step 4 saw 'image 0' of the clean images" in caplog.text
    # The schedule goes on, and nothing else.
    unbroken = []
    train(trainer(iterations=9), batches, lambda *row: unbroken.append(row), 3)
    assert [row[2] for row in rows] == [row[2] for row in unbroken]
    assert all(np.isfinite(row[1]) for row in rows)
    assert trained.optimizers[""].state_dict()["state"][0]["step"] == 8


def test_a_skipped_step_changes_no_weight(batches):
    one, skipped = (skipping(*bad, iterations=2) for bad in ([], [2]))
    train(skipped, batches, every=1)
    one.step(*batches.draw(0))
    for a, b in zip(one.model.parameters(), skipped.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert np.isnan(skipped.history[1]["loss"])


def test_one_bad_step_too_many_stops_the_training(batches):
    with pytest.raises(NotFinite, match="step 7 is not finite"):
        train(skipping(4, 7), batches)
    with pytest.raises(NotFinite, match="step 4 is not finite"):
        train(skipping(4, skip=0), batches)


def test_statistics_of_a_network_that_a_skipped_step_spoilt_stop_it(batches):
    network = {"name": "dncnn", "width": 8, "depth": 3, "norm": "batch"}
    with pytest.raises(NotFinite, match="step 5 is not finite"):
        train(skipping(4, network=network), batches, every=5)


def test_steps_that_were_skipped_before_a_cut_count_after_it(batches):
    first, second = skipping(1), skipping(7)
    for t in range(2):
        first.step(*batches.draw(t))
    restore(second, state_of(first))
    with pytest.raises(NotFinite, match="step 7 is not finite"):
        train(second, batches)


def test_a_batch_that_the_gpu_cannot_hold_is_told(batches, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried 4 GiB")

    trained = trainer()
    monkeypatch.setattr(trained, "_learn", full)
    with pytest.raises(MidError, match=r"4 crops of 16x16 .*gradient_accumulation"):
        train(trained, batches)


def test_charbonnier_by_hand():
    found = ERRORS["charbonnier"](torch.tensor([3.0, 0.0]), torch.tensor([0.0, 0.0]))
    assert found.item() == pytest.approx((3.0000001666 + 0.001) / 2, abs=1e-6)


def test_bf16_trains_float32_weights(batches):
    model, rows = run(batches, precision="bf16")
    assert all(np.isfinite(row[1]) for row in rows)
    assert all(p.dtype == torch.float32 for p in model.parameters())
