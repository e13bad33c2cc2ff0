import numpy as np
import pytest
import torch

from mid_core.masking import (
    Masking,
    bernoulli,
    draw_mask_ratio,
    image_seed,
    mask_rows,
    quick_bernoulli,
)


@pytest.mark.parametrize("draw", [bernoulli, quick_bernoulli])
@pytest.mark.parametrize("mask_ratio", [0.0, 0.3, 0.8, 1.0])
def test_share_hidden_is_the_mask_ratio(mask_ratio, draw, rng):
    mask = draw((401, 263, 1), mask_ratio, rng)
    assert mask.dtype == bool
    # Five standard deviations of a mean of 105 463 draws.
    assert abs((mask == 0).mean() - mask_ratio) <= 5 * np.sqrt(
        mask_ratio * (1 - mask_ratio) / mask.size
    )


def test_sixteen_bits_meet_a_ratio_to_the_nearest_step():
    class Counting:
        """A generator that gives every word of 16 bits once."""

        bit_generator = property(lambda self: self)

        def random_raw(self, size):
            return np.arange(2**16, dtype=np.uint16).view(np.uint64)

    for ratio in (0.0, 0.1, 0.8, 1 / 3, 1.0):
        mask = quick_bernoulli((256, 256, 1), ratio, Counting())
        assert abs((mask == 0).mean() - ratio) <= 2**-17


def test_a_mask_hides_all_colours_of_a_pixel_or_each_on_its_own(rng):
    shared, own = bernoulli((97, 61, 1), 0.5, rng), bernoulli((97, 61, 3), 0.5, rng)
    y = np.ones((97, 61, 3), np.float32)
    assert set(np.unique((shared * y).sum(axis=2))) == {0.0, 3.0}
    assert set(np.unique((own * y).sum(axis=2))) == {0.0, 1.0, 2.0, 3.0}


def test_a_range_is_drawn_uniformly_and_a_number_is_kept(rng):
    draws = [draw_mask_ratio([0.5, 0.7], rng) for _ in range(2000)]
    assert min(draws) >= 0.5
    assert max(draws) <= 0.7
    assert abs(np.mean(draws) - 0.6) < 5 * 0.2 / np.sqrt(12 * 2000)
    assert draw_mask_ratio(0.8, rng) == 0.8


@pytest.mark.parametrize("channels", [1, 3])
def test_every_cut_of_an_image_sees_the_same_mask(channels):
    entropy, height, width = [1, 2, 3], 201, 77
    whole = mask_rows(entropy, (0, height), (0, width), width, channels, [0.4, 0.6])
    assert whole.shape == (height, width, channels)
    for top, bottom, left, right in [
        (0, 5, 0, 77),
        (63, 130, 3, 40),
        (199, 201, 76, 77),
    ]:
        part = mask_rows(
            entropy, (top, bottom), (left, right), width, channels, [0.4, 0.6]
        )
        np.testing.assert_array_equal(part, whole[top:bottom, left:right])


def test_bands_of_a_mask_differ():
    mask = mask_rows([0], (0, 128), (0, 50), 50, 1, 0.5)
    assert (mask[:64] != mask[64:]).any()


def test_seeds_differ_by_image_stream_and_seed():
    seeds = {
        tuple(image_seed(seed, stream, name))
        for seed in (0, 1)
        for stream in ("extract/1", "extract/2")
        for name in ("a.png", "b.png")
    }
    assert len(seeds) == 8


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("fill", [0.0, 0.5])
def test_what_is_hidden_is_filled_and_the_mask_may_be_shown(rng, layers, fill):
    y = rng.normal(size=(9, 4, 3)).astype(np.float32)
    mask = rng.random((9, 4, layers)) < 0.5
    expected = np.where(mask, y, np.float32(fill))
    per = "pixel" if layers == 1 else "colour"
    for as_input in (False, True):
        masking = Masking(0.5, per, fill, as_input)
        assert masking.extra_channels(3) == as_input * layers
        shown = masking.apply(torch.from_numpy(y), torch.from_numpy(mask)).numpy()
        assert shown.shape == (9, 4, 3 + as_input * layers)
        np.testing.assert_array_equal(shown[..., :3], expected)
        if as_input:
            np.testing.assert_array_equal(shown[..., 3:], mask)


@pytest.mark.parametrize("layers", [1, 3])
def test_hidden_pixels_may_take_the_mean_of_the_visible_ones_around(rng, layers):
    y = rng.normal(size=(31, 24, 3)).astype(np.float32)
    mask = rng.random((31, 24, layers)) < 0.2
    masking = Masking(0.8, "pixel" if layers == 1 else "colour", "mean")
    shown = masking.apply(torch.from_numpy(y), torch.from_numpy(mask)).numpy()
    np.testing.assert_array_equal(np.where(mask, shown, 0), np.where(mask, y, 0))
    kept = np.broadcast_to(mask, y.shape)
    for i, j, c in [(0, 0, 0), (15, 12, 1), (30, 3, 2), (7, 23, 0)]:
        sums = np.zeros(2)
        for side, weight in ((5, 1), (21, 1 / 20)):
            rows = slice(max(0, i - side // 2), i + side // 2 + 1)
            columns = slice(max(0, j - side // 2), j + side // 2 + 1)
            seen, values = kept[rows, columns, c], y[rows, columns, c]
            sums += weight * np.array([(values * seen).mean(), seen.mean()])
        expected = y[i, j, c] if kept[i, j, c] else sums[0] / sums[1]
        assert shown[i, j, c] == pytest.approx(expected, rel=1e-4)


def test_a_flat_image_stays_flat_under_a_filled_mask(rng):
    y = torch.full((19, 26, 3), 0.7)
    mask = torch.from_numpy(rng.random((19, 26, 1)) < 0.05)
    shown = Masking(0.95, fill="mean").apply(y, mask)
    np.testing.assert_allclose(shown.numpy(), 0.7, rtol=1e-5)
    hidden = torch.zeros((19, 26, 1), dtype=torch.bool)
    assert not Masking(0.95, fill="mean").apply(y, hidden).any()
