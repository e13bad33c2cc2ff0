"""SCPGabNet: similarity, who learns from whom, and a tiny training in rounds."""

import numpy as np
import pytest
import torch
from scipy import ndimage, signal
from skimage.metrics import structural_similarity
from torch import nn

from mid_config import registry
from mid_core.errors import MidError
from mid_core.methods.scpgabnet import blur_difference, unlikeness
from mid_core.methods.ssim import LEAST, dissimilarity, ssim
from mid_core.networks import build
from mid_core.trainer import Trainer, Training
from tests.methods.correlated import CPU
from tests.methods.unpaired import errors, pools, small_stage, train_stage

STAGES = registry.method("scpgabnet")["stages"]
SMALL = {
    "generator_width": 8,
    "generator_blocks": 1,
    "critic_width": 8,
    "critic_layers": 2,
}
DNCNN = {"name": "dncnn", "width": 16, "depth": 4}


def test_the_similarity_is_scikit_images(rng):
    a = rng.random((1, 3, 23, 31))
    b = 0.7 * a + 0.3 * rng.random(a.shape)
    found = ssim(torch.tensor(a), torch.tensor(b))[0].mean(0)
    how = {"gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}
    _, expected = structural_similarity(
        a[0], b[0], channel_axis=0, data_range=1, full=True, **how
    )
    # At the border theirs goes on in another way.
    inner = (slice(5, -5), slice(5, -5))
    np.testing.assert_allclose(found.numpy()[inner], expected.mean(0)[inner], atol=1e-6)


def test_a_negative_similarity_has_a_bounded_logarithm():
    board = (torch.arange(12)[:, None] + torch.arange(12)) % 2
    a = board.float().expand(1, 3, -1, -1)
    assert ssim(a, 1 - a).mean() < 0
    b = (1 - a).clone().requires_grad_()
    found = dissimilarity(a, b)
    assert found.item() == pytest.approx(-np.log10(LEAST))
    found.backward()
    assert b.grad.isfinite().all()
    assert dissimilarity(a, a).item() == pytest.approx(0, abs=1e-6)


def test_blurred_images_differ_by_less_where_noise_is_fine(rng):
    x = torch.tensor(rng.random((2, 3, 33, 35)))
    assert blur_difference(x, x).item() == 0
    fine = torch.tensor(rng.normal(0, 0.1, x.shape))
    flat = 0.1 + torch.zeros_like(x)
    assert blur_difference(x, x + flat).item() == pytest.approx(0.111)
    expected = 0
    for side, weight in ((3, 0.01), (9, 0.1), (15, 1.0)):
        window = signal.windows.gaussian(side, 25)
        blurred = fine.numpy()
        for axis in (2, 3):
            blurred = ndimage.correlate1d(blurred, window, axis, mode="nearest")
        expected += weight * np.abs(blurred).mean() / window.sum() ** 2
    assert blur_difference(x, x + fine).item() == pytest.approx(expected)
    assert expected < 0.3 * 0.111


def set_up(name="first", before=None):
    stage = small_stage(STAGES[name], before, **SMALL)
    network = stage.build(DNCNN, 3, [0])
    return stage, network, stage.batches(pools(4), 2, 20, [0]).draw(0)


def test_each_turn_moves_its_own_parts_and_never_the_denoiser_before():
    before = build(DNCNN, seed=[5]).eval()
    lesson = {name: one.clone() for name, one in before.state_dict().items()}
    stage, network, batch = set_up("second", before)
    training = Training(2, 2, 20, learning_rate=1e-2, ema_decay=0)
    expected = [{"makers.denoiser", "makers.generator"}, {"critic.layers"}]
    for turn, parts in zip(stage.turns(), expected, strict=True):
        start = {name: one.clone() for name, one in network.state_dict().items()}
        Trainer(network, training, CPU, turns=[turn]).step(*batch)
        after = network.state_dict()
        moved = [name for name in start if not torch.equal(start[name], after[name])]
        assert {".".join(name.split(".")[:2]) for name in moved} == parts
    assert all(torch.equal(one, lesson[k]) for k, one in before.state_dict().items())


def test_the_denoiser_goes_on_and_the_others_begin_afresh():
    before = build(DNCNN, seed=[5])
    _, network, _ = set_up("second", before)
    _, fresh, _ = set_up("first")
    for name, one in network.state_dict().items():
        if name.startswith("makers.denoiser."):
            own = before.state_dict()[name.removeprefix("makers.denoiser.")]
            assert torch.equal(one, own), name
        else:
            assert torch.equal(one, fresh.state_dict()[name]), name


def test_another_denoiser_before_is_refused():
    with pytest.raises(MidError, match="same network"):
        set_up("second", build(DNCNN | {"width": 5}))


def test_crops_too_small_for_the_critic_are_refused():
    stage = small_stage(STAGES["first"], **SMALL)
    with pytest.raises(MidError, match="set it to 12 or more"):
        stage.batches(pools(4), 2, 11, [0])
    sampler = stage.batches(pools(4), 2, 12, [0])
    network = stage.build(DNCNN, 3, [0])
    assert stage.critic_loss(network, sampler.draw(0)).isfinite()


class Fixed(nn.Module):
    """Answers with what was last set, whatever it is shown; and notes that."""

    def __init__(self, *answers):
        super().__init__()
        self.answers, self.seen = list(answers), []

    def forward(self, *shown):
        self.seen.append(shown)
        return self.answers[(len(self.seen) - 1) % len(self.answers)]


def test_what_is_lowered_in_a_later_round():
    y, x, fake, restored, estimate, again, lesson, of_fake = torch.rand(8, 2, 3, 20, 20)
    # Before is asked for the noise; for the lesson, and for that of the fake.
    before = Fixed(lesson, lesson, of_fake)
    stage = small_stage(STAGES["second"], before, **SMALL)
    network = nn.Module()
    generator, denoiser = Fixed(fake, again), Fixed(restored, estimate)
    network.makers = nn.ModuleDict({"generator": generator, "denoiser": denoiser})
    network.critic = Fixed(torch.full((2, 1, 3, 3), 0.25))
    found = stage.makers_loss(network, (y, x, None)).item()
    expected = 0.75**2 + 6 * blur_difference(x, fake) + unlikeness(restored, x)
    expected += 6 * blur_difference(estimate, again)
    expected += unlikeness(estimate, lesson) + unlikeness(restored, of_fake)
    assert found == pytest.approx(expected.item(), rel=1e-5)
    # The generator sees the noise that was taken out, on both.
    shown = [x, y - lesson], [estimate, y - lesson]
    for (content, noise), (its, own) in zip(generator.seen, shown, strict=True):
        assert torch.equal(content, its)
        torch.testing.assert_close(noise, own)
    restored_from, estimated_from = (one for (one,) in denoiser.seen)
    assert torch.equal(restored_from, fake)
    assert torch.equal(estimated_from, y)


def test_what_is_lowered_at_first():
    stage, network, (y, x, seeds) = set_up()
    with torch.no_grad():
        fake = network.makers["generator"](x, y)
        restored = network.makers["denoiser"](fake)
        critic = network.critic
        expected = ((critic(fake) - 1) ** 2).mean() + 6 * blur_difference(x, fake)
        expected += unlikeness(restored, x)
        judged = (((critic(y) - 1) ** 2).mean() + (critic(fake) ** 2).mean()) / 2
        found = stage.makers_loss(network, (y, x, seeds))
        its = stage.critic_loss(network, (y, x, seeds))
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert its.item() == pytest.approx(judged.item(), rel=1e-5)


@pytest.mark.slow
def test_rounds_of_a_tiny_training_denoise():
    before, found = None, []
    for name in ("first", "second"):
        stage = small_stage(STAGES[name], before, **SMALL)
        before, losses = train_stage(stage, DNCNN, 150, 3e-3)
        assert np.isfinite(losses).all()
        noisy, error = errors(before)
        found.append(error)
    assert found[-1] < 0.8 * noisy
    # A round does not throw away what the one before had reached.
    assert found[1] < 1.2 * found[0]
