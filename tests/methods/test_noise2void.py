"""Noise2Void: which pixels are replaced, by what, and what is learnt from that."""

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from mid_core.methods import METHODS, noise2void, stage_of
from mid_core.methods.noise2void import ReplacedPixels
from mid_core.networks import build
from mid_core.networks.layers import box_mean
from mid_core.trainer import Trainer, Training
from tests.conftest import Pool

SETTINGS = YAML(typ="safe").load(noise2void.STAGES)["network"]
STAGE = stage_of(SETTINGS)


@pytest.fixture
def numbered():
    """An image whose values are all different: each tells where it came from."""
    count = 45 * 57 * 3
    return Pool((np.arange(count) / count).reshape(45, 57, 3).astype(np.float32))


def draws(pool, side, steps=1, **options):
    """The batches of several steps, put together; 4 crops each."""
    sampler = ReplacedPixels(pool, 4, side, [3], **options)
    batches = zip(*(sampler.draw(step) for step in range(steps)), strict=True)
    return [torch.cat(parts) for parts in batches]


def test_it_is_registered_with_the_papers_sizes():
    assert "noise2void" in METHODS
    assert SETTINGS["training"]["patch_size"] % STAGE.box == 0
    # The published code replaces 1.5 %, in boxes with a side of sqrt(100 / 1.5).
    assert STAGE.box == round((100 / 1.5) ** 0.5)
    assert STAGE.radius == 11 // 2


def test_one_pixel_of_each_box_is_replaced_in_each_colour(numbered):
    _, _, replaced = draws(numbered, 24, steps=20)
    assert replaced.dtype == torch.bool
    assert replaced.shape == (80, 3, 24, 24)
    boxes = replaced.view(80, 3, 3, 8, 3, 8)
    assert (boxes.sum(dim=(3, 5)) == 1).all()
    # Anywhere in the box, and not where it is in another colour.
    assert (boxes.sum(dim=(0, 1, 2, 4)) > 0).all()
    assert (replaced[:, 0] & replaced[:, 1]).sum() < 0.1 * replaced[:, 0].sum()


def test_boxes_over_the_edge_hold_their_share(numbered):
    _, _, replaced = draws(numbered, 21, steps=50)
    counts = replaced.sum(dim=(2, 3)).float()
    assert counts.min() >= 4
    assert counts.max() <= 9
    assert counts.mean() == pytest.approx(21 * 21 / 64, abs=0.3)


def sources(shown, y):
    """Row and column in ``y`` of the value of each pixel of ``shown``, (N, C, H, W)."""
    side, values = y.shape[-1], y.flatten(2)
    order = values.argsort(dim=2)
    at = torch.searchsorted(values.gather(2, order), shown.flatten(2))
    index = order.gather(2, at.clamp(max=side * side - 1))
    # It is a value of the same crop and colour, to the bit.
    assert (values.gather(2, index) == shown.flatten(2)).all()
    return (index // side).view(y.shape), (index % side).view(y.shape)


@pytest.mark.parametrize("radius", [1, 5])
def test_replacements_come_from_the_window_around(numbered, radius):
    shown, y, replaced = draws(numbered, 21, steps=150, radius=radius)
    torch.testing.assert_close(shown[~replaced], y[~replaced], rtol=0, atol=0)
    rows, columns = sources(shown.contiguous(), y.contiguous())
    own = torch.arange(21)
    down, right = (rows - own[:, None])[replaced], (columns - own)[replaced]
    found = set(zip(down.tolist(), right.tolist(), strict=True))
    reach = range(-radius, radius + 1)
    assert found == {(r, c) for r in reach for c in reach}
    assert ((down == 0) & (right == 0)).any()


def test_windows_are_cut_off_at_the_edge(numbered):
    shown, y, replaced = draws(numbered, 21, steps=150)
    rows, columns = sources(shown.contiguous(), y.contiguous())
    ours = {"top": rows[:, :, 0][replaced[:, :, 0]]}
    ours["left"] = columns[..., 0][replaced[..., 0]]
    ours["bottom"] = 20 - rows[:, :, 20][replaced[:, :, 20]]
    ours["right"] = 20 - columns[..., 20][replaced[..., 20]]
    for edge, found in ours.items():
        counts = torch.bincount(found)
        assert len(counts) == 6, edge
        # Each of the six rows that there are as often as another.
        expected = counts.sum() / 6
        assert ((counts - expected) ** 2 / expected).sum() < 25, edge


def test_shards_are_the_batch_and_steps_differ(numbered):
    sampler = ReplacedPixels(numbered, 4, 21, [3])
    whole, again, later = sampler.draw(5), sampler.draw(5), sampler.draw(6)
    halves = sampler.draw(5, slice(0, 2)), sampler.draw(5, slice(2, 4))
    for i, tensor in enumerate(whole):
        assert torch.equal(tensor, again[i])
        assert torch.equal(tensor, torch.cat([half[i] for half in halves]))
        assert not torch.equal(tensor, later[i])


class Fixed(torch.nn.Module):
    """Predicts what it was given."""

    def __init__(self, prediction):
        super().__init__()
        self.prediction = prediction

    def forward(self, x):
        return self.prediction


@pytest.mark.parametrize(("error", "power"), [("l1", 1), ("mse", 2)])
def test_the_loss_is_that_of_replaced_pixels(error, power, numbered, rng):
    stage = stage_of(SETTINGS | {"options": SETTINGS["options"] | {"error": error}})
    batch = stage.batches({"noisy": numbered}, 2, 24, [0]).draw(0)
    _, y, replaced = batch
    prediction = torch.tensor(rng.random(y.shape), dtype=torch.float32)
    found = stage.loss(Fixed(prediction), batch).item()
    differences = (prediction - y)[replaced].numpy().astype(float)
    assert found == pytest.approx((abs(differences) ** power).mean(), rel=1e-5)
    outside = torch.where(replaced, prediction, prediction + 3)
    assert stage.loss(Fixed(outside), batch).item() == found
    inside = torch.where(replaced, prediction + 3, prediction)
    assert stage.loss(Fixed(inside), batch).item() > found + 1


def test_parts_of_a_batch_count_alike(numbered):
    batch = STAGE.batches({"noisy": numbered}, 4, 21, [0]).draw(0)
    counts = batch[2].sum(dim=(1, 2, 3))
    assert counts[:2].sum() != counts[2:].sum()
    network = build({"name": "unet", "width": 4, "depth": 2})
    with torch.no_grad():
        whole = STAGE.loss(network, batch)
        parts = zip(*(tensor.chunk(2) for tensor in batch), strict=True)
        losses = torch.stack([STAGE.loss(network, part) for part in parts])
    torch.testing.assert_close(losses.mean(), whole)


# What is learnt of noise that is independent from pixel to pixel, and of noise that
# is not.

NOISE = 0.1


def scenes(rng, blurred):
    """Smooth images, and the same with noise."""
    noise = torch.tensor(rng.normal(size=(6, 3, 53, 61)))
    noise = box_mean(noise, 3) if blurred else noise
    clean = torch.tensor(rng.random((6, 3, 53, 61)))
    for _ in range(3):
        clean = box_mean(clean, 21)
    clean = 0.5 + 0.2 * (clean - clean.mean()) / clean.std()
    return clean.float(), (clean + NOISE * noise / noise.std()).float()


def learnt(rng, blurred):
    """First and last loss of a short training, and by how many dB it beats the noise."""
    clean, noisy = scenes(rng, blurred)
    stage = stage_of(SETTINGS | {"options": {"box": 4}})
    pool = Pool(*noisy.permute(0, 2, 3, 1).numpy())
    batches = stage.batches({"noisy": pool}, 4, 24, [0])
    network = build({"name": "dncnn", "width": 12, "depth": 3, "residual": False})
    settings = Training(200, 4, 24, learning_rate=5e-3, ema_decay=0)
    trainer = Trainer(network, settings, torch.device("cpu"), turns=stage.turns())
    for step in range(200):
        trainer.step(*batches.draw(step))
    with torch.no_grad():
        estimate = trainer.model.eval()(noisy)
    before, after = (((image - clean) ** 2).mean() for image in (noisy, estimate))
    losses = trainer.recent_losses()
    gain = 10 * torch.log10(before / after).item()
    return losses[0], np.mean(losses[-20:]), gain


def test_independent_noise_goes_and_blurred_noise_is_learnt(rng):
    # The mean absolute value of the noise: the loss of the clean image.
    floor = NOISE * (2 / np.pi) ** 0.5
    first, last, gain = learnt(rng, blurred=False)
    assert last < first / 2
    assert last > floor
    assert gain > 4
    first, last, gain = learnt(rng, blurred=True)
    assert last < 0.8 * floor
    assert gain < 2.5
