"""C2N: who learns from whom, and a tiny training on simulated correlated noise."""

import numpy as np
import pytest
import torch

from mid_config import registry
from mid_core.checkpoints.trainer_state import restore, state_of
from mid_core.methods.adversary import critic_loss
from mid_core.methods.c2n import Generator, generated
from mid_core.methods.unpaired import Draws
from mid_core.networks import build
from mid_core.trainer import Trainer, Training
from tests.methods.correlated import CPU, clean
from tests.methods.unpaired import errors, lag, pools, small_stage, train_stage

STAGES = registry.method("c2n")["stages"]
GENERATOR = {
    "name": "noise_generator",
    "width": 8,
    "blocks": 1,
    "independent": 1,
    "dependent": 1,
    "latent": 4,
}
SMALL = {"critic_width": 8, "critic_blocks": 2, "detail": True, "zero_mean": 10.0}
DNCNN = {"name": "dncnn", "width": 16, "depth": 4}


def set_up():
    stage = small_stage(STAGES["generator"], **SMALL)
    network = stage.build(GENERATOR, 3, [0])
    return stage, network, stage.batches(pools(4), 3, 20, [0]).draw(0)


def moved(network, before):
    after = network.state_dict()
    names = [name for name in before if not torch.equal(after[name], before[name])]
    return {name.partition(".")[0] for name in names}


def test_each_turn_moves_its_own_part_only():
    stage, network, batch = set_up()
    training = Training(2, 3, 20, learning_rate=1e-2, ema_decay=0)
    for turn, part in zip(stage.turns(), ("critic", "makers"), strict=True):
        before = {name: one.clone() for name, one in network.state_dict().items()}
        Trainer(network, training, CPU, turns=[turn]).step(*batch)
        assert moved(network, before) == {part}


def test_a_training_goes_on_bit_by_bit():
    stage, _, _ = set_up()
    batches = stage.batches(pools(4), 2, 16, [0])
    training = Training(4, 2, 16, learning_rate=1e-2, ema_decay=0.9)
    whole, first, second = (
        Trainer(stage.build(GENERATOR, 3, [0]), training, CPU, turns=stage.turns())
        for _ in range(3)
    )
    for step in range(4):
        whole.step(*batches.draw(step))
    for step in range(2):
        first.step(*batches.draw(step))
    # Whatever was drawn elsewhere meanwhile.
    torch.manual_seed(99)
    restore(second, state_of(first))
    for step in range(2, 4):
        second.step(*batches.draw(step))
    assert second.recent_losses() == whole.recent_losses()
    found, expected = second.model.state_dict(), whole.model.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_what_is_lowered():
    stage, network, batch = set_up()
    y, x, seeds = batch
    critic, generator = network.critic, network.makers["generator"]
    draws = Draws(seeds, CPU)
    fake = generated(generator, x, draws)
    expected = critic_loss(critic, y, fake, draws, stage.penalty)
    assert stage.critic_loss(network, batch).item() == pytest.approx(expected.item())
    with torch.no_grad():
        seen, noise = critic(fake), fake - x
    mean = np.mean([abs(noise[:, colour].mean().item()) for colour in range(3)])
    found = stage.generator_loss(network, batch).item()
    assert found == pytest.approx(10 * mean - seen.mean().item() * 20, rel=1e-4)


def test_the_weights_depend_on_the_seed_alone():
    stage = Generator(None, critic_width=4, critic_blocks=1)
    a, b, c = (stage.build(GENERATOR, 3, [s]).state_dict() for s in (0, 0, 1))
    assert all(torch.equal(a[name], b[name]) for name in a)
    for part in ("makers.generator.ending.weight", "critic.layers.0.weight"):
        assert not torch.equal(a[part], c[part])


def test_the_denoiser_learns_clean_crops_from_generated_ones():
    generator = build(GENERATOR).eval()
    stage = small_stage(STAGES["denoiser"], generator)
    batch = stage.batches(pools(4), 3, 20, [1]).draw(0)
    _, x, seeds = batch
    seen = []
    found = stage.loss(lambda y: seen.append(y) or y, batch)
    with torch.no_grad():
        y = generated(generator, x, Draws(seeds, CPU))
    torch.testing.assert_close(seen[0], y)
    assert found.item() == pytest.approx((y - x).abs().mean().item())
    assert stage.loss(lambda y: x, batch).item() == 0


def test_only_the_generator_is_kept():
    stage, network, _ = set_up()
    assert stage.trained(network) is network.makers["generator"]
    kept = stage.trained(network).state_dict()
    build(GENERATOR).load_state_dict(kept)


@pytest.mark.slow
def test_a_tiny_training_finds_the_noise_and_takes_it_off():
    stage = small_stage(STAGES["generator"], **SMALL)
    fresh = stage.build(GENERATOR, 3, [0]).makers["generator"]
    generator, _ = train_stage(stage, GENERATOR, 220, 2e-3)
    x = torch.tensor(np.stack([clean(i, 32, 36) for i in range(3000, 3008)]))
    x = x.permute(0, 3, 1, 2).float()
    with torch.no_grad():
        before, after = (
            generated(one, x, Draws(torch.arange(8), CPU)) - x
            for one in (fresh, generator)
        )
    # That of the noisy pictures is 0.2 and two thirds; at first it is faint and white.
    assert before.std() < 0.05
    assert abs(lag(before)) < 0.1
    assert 0.08 < after.std() < 0.4
    assert lag(after) > 0.2
    assert abs(after.mean()) < 0.04
    stage = small_stage(STAGES["denoiser"], generator)
    denoiser, losses = train_stage(stage, DNCNN, 200, 5e-3)
    assert np.mean(losses[-20:]) < np.mean(losses[:5]) / 1.5
    before, after = errors(denoiser)
    # What is learnt of generated noise carries over, in part.
    assert after < 0.9 * before
