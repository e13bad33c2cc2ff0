"""What a training's crops show of their noise, against numbers known beforehand."""

from dataclasses import replace

import numpy as np
import pytest

from mid_core.batches import Batches, DistillationBatches
from mid_core.masking import Masking
from mid_core.trained_noise import noise_seen
from tests.conftest import Pool

GREY = np.full((70, 91, 3), 128, np.uint8)


def on_grey(*noise, **changes):
    settings = {
        "batch_size": 5,
        "patch_size": 33,
        "masking": Masking(0.8),
        "clip": False,
        "seed": [0, 0],
    }
    fields = (field.astype(np.float16) for field in noise)
    return Batches(Pool(GREY), Pool(*fields), **settings | changes)


def white(std, rng):
    return rng.normal(0, std / 255, (71, 93, 3))


def pairs(std, rng):
    """Each pixel is the mean of two by two white ones: neighbours share a half."""
    field = rng.normal(0, 2 * std / 255, (72, 94, 3))
    return (field[1:, 1:] + field[:-1, 1:] + field[1:, :-1] + field[:-1, :-1]) / 4


@pytest.mark.parametrize(("make", "lag_1"), [(white, 0.0), (pairs, 0.5)])
def test_level_and_correlation_are_those_the_noise_was_made_with(rng, make, lag_1):
    # Alternating fields of 8 and 24: the quantiles are one's and the other's.
    seen = noise_seen(on_grey(make(8, rng), make(24, rng)))
    assert seen["std"] == pytest.approx([8, 24], rel=0.08)
    assert seen["lag_1"] == pytest.approx(lag_1, abs=0.04)
    assert all(round(value, 4) == value for value in (*seen["std"], seen["lag_1"]))


def test_the_mean_of_a_crop_is_no_noise_and_colours_count_by_their_squares(rng):
    noise = white(10, rng) * [0, 0.6, 0.8] + [0.1, -0.2, 0.3]
    # sqrt((0 + 36 + 64) / 3)
    assert noise_seen(on_grey(noise))["std"] == pytest.approx([5.77] * 2, rel=0.08)


@pytest.mark.parametrize(
    "masking",
    [
        Masking([0.2, 0.9], per="colour"),
        Masking(0.8, fill="mean"),
        Masking(0.5, fill=0.5, as_input=True),
    ],
)
def test_masks_do_not_matter(rng, masking):
    sampler = on_grey(pairs(12, rng))
    masked = replace(sampler, masking=masking)
    assert noise_seen(masked) == noise_seen(sampler) == noise_seen(masked)


def test_as_many_crops_are_drawn_as_asked_for(rng, monkeypatch):
    drawn, crop = [], Pool.crop
    monkeypatch.setattr(Pool, "crop", lambda *w: drawn.append(1) or crop(*w))
    noise_seen(on_grey(white(9, rng)), crops=7)
    # A clean one and its noise, each.
    assert len(drawn) == 14


def test_clipping_takes_its_part(rng):
    clean = Pool(np.zeros((40, 51, 3), np.uint8))
    sampler = replace(on_grey(white(20, rng)), clean=clean, clip=True)
    # The half above 0 of a Gaussian has variance (1 - 1 / pi) / 2.
    expected = 20 * np.sqrt((1 - 1 / np.pi) / 2)
    assert noise_seen(sampler)["std"] == pytest.approx([expected] * 2, rel=0.08)


def test_no_noise_is_said_without_a_warning(rng):
    assert noise_seen(on_grey(white(0, rng))) == {"std": [0, 0], "lag_1": 0}
    # Of noise in some crops only, those with it tell the correlation.
    some = noise_seen(on_grey(white(0, rng), pairs(20, rng)))
    assert some["std"] == pytest.approx([0, 20], rel=0.08)
    assert some["lag_1"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("recharge", [0, 0.5])
def test_of_targets_it_is_what_the_teacher_takes_out(rng, recharge):
    noisy = rng.integers(0, 256, (41, 57, 3), np.uint8)
    taken = np.rint(255 * pairs(9, rng)[:41, :57])
    targets = Pool((noisy / 255 - taken / 255).astype(np.float32))
    sampler = DistillationBatches(
        Pool(noisy), targets, 4, 17, Masking(0.7), recharge, seed=[3, 1]
    )
    seen = noise_seen(sampler)
    assert seen["std"] == pytest.approx([9, 9], rel=0.2)
    assert seen["lag_1"] == pytest.approx(0.5, abs=0.08)
