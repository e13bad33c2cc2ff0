"""What is seen of noise that was made: white, smoothed, and stronger in the light."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from mid_core.cameras import together
from mid_core.errors import MidError
from mid_core.look import (
    BINS,
    Look,
    autocorrelation,
    look,
    smoothed,
    std_under,
)

SHAPE = (131, 187)
KERNEL = np.array([1, 2, 1]) / 4
every_colour = pytest.mark.parametrize("channels", [1, 3])


def picture(channels):
    """A slope with soft hills, from 0.3 to 0.7."""
    down, right = np.mgrid[: SHAPE[0], : SHAPE[1]]
    hills = 0.1 * np.sin(down / 23) + 0.1 * np.cos(right / 31)
    x = 0.5 + hills + 0.0005 * (right - SHAPE[1] / 2)
    return np.repeat(x[..., None], channels, axis=2)


def white(rng, channels, sigma):
    return rng.normal(0, sigma / 255, (*SHAPE, channels))


def seen(y):
    return together([look(y.astype(np.float32))])


@every_colour
@pytest.mark.parametrize("sigma", [10, 25, 50])
def test_the_level_of_white_noise(rng, sigma, channels):
    y = np.clip(picture(channels) + white(rng, channels, sigma), 0, 1)
    camera = seen(y)
    (one,) = camera.looks
    assert camera.is_white
    assert one.level.shape == (channels,)
    np.testing.assert_allclose(255 * one.level, sigma, rtol=0.1)
    correlation = autocorrelation(one.spectrum)
    np.testing.assert_allclose(correlation[8, 8], np.eye(channels), atol=0.02)
    assert abs(correlation[8, 9]).max() < 0.02


@every_colour
def test_noise_that_is_smoothed_is_correlated(rng, channels):
    n = white(rng, channels, 60)
    for axis in (0, 1):
        n = correlate1d(n, KERNEL, axis=axis)
    camera = seen(picture(channels) + n)
    (one,) = camera.looks
    assert not camera.is_white
    # Its variance is the sum of the squared weights, (1 + 4 + 1) / 16 for each axis.
    np.testing.assert_allclose(255 * one.level, 60 * 6 / 16, rtol=0.2)
    correlation = np.einsum("yxcc->yx", autocorrelation(one.spectrum)) / channels
    # Weights times weights shifted by one and by two: (2 + 2) / 6 and 1 / 6.
    for shift, expected in ((0, 1), (1, 4 / 6), (2, 1 / 6), (4, 0)):
        for there in (correlation[8, 8 + shift], correlation[8 - shift, 8]):
            assert there == pytest.approx(expected, abs=0.1)
    assert correlation[9, 9] == pytest.approx((4 / 6) ** 2, abs=0.1)


def test_colours_that_share_their_noise_are_seen_to(rng):
    n = white(rng, 4, 15)
    n = (n[..., :3] + n[..., 3:]) / np.sqrt(2)
    for axis in (0, 1):
        n = correlate1d(n, KERNEL, axis=axis)
    (one,) = seen(picture(3) + n).looks
    colours = autocorrelation(one.spectrum)[8, 8]
    np.testing.assert_allclose(colours[np.triu_indices(3, 1)], 0.5, atol=0.1)


def test_noise_that_rises_with_the_brightness(rng):
    # From 0.1 at the left to 0.9 at the right; std from 6 to 22 grey levels.
    x = np.broadcast_to(np.linspace(0.1, 0.9, 301)[None, :, None], (203, 301, 1))
    made = (4 + 20 * x) / 255
    (one,) = seen(x + made * rng.standard_normal(x.shape)).looks
    middles = (np.arange(BINS) + 0.5) / BINS
    inside = (middles > 0.15) & (middles < 0.85)
    expected = (4 + 20 * middles) / 255
    np.testing.assert_allclose(one.curve[0, inside], expected[inside], rtol=0.2)
    assert one.level[0] == pytest.approx(np.sqrt((made**2).mean()), rel=0.1)


def test_twice_the_noise_is_twice_the_level(rng):
    n = white(rng, 3, 12)
    once, twice = (seen(picture(3) + k * n).looks[0].level for k in (1, 2))
    np.testing.assert_allclose(twice, 2 * once, rtol=0.05)


def test_clipped_values_and_flat_blocks_are_counted(rng):
    y = picture(1) + white(rng, 1, 5)
    assert look(y.astype(np.float32)).clipped == 0
    assert look(y.astype(np.float32)).flat > 0.8
    y[:33] = 0
    one = look(y.astype(np.float32))
    assert one.clipped == pytest.approx(33 / 131)
    assert 255 * one.level[0] == pytest.approx(5, rel=0.2)


def test_structure_is_detail_and_hardly_noise(rng):
    y = picture(1) + white(rng, 1, 10)
    plain = look(y.astype(np.float32))
    down, right = np.mgrid[: SHAPE[0], : SHAPE[1]]
    # Squares of 5 pixels in the left half, 50 grey levels up or down.
    squares = np.where((down // 5 + right // 5) % 2, 50, -50) * (right < 93)
    y += squares[..., None] / 255
    one = look(y.astype(np.float32))
    assert 255 * one.level[0] == pytest.approx(10, rel=0.15)
    assert one.flat < 0.7 * plain.flat
    # Half of the image has a variance of 50 ** 2.
    assert 255 * one.detail == pytest.approx(50 / np.sqrt(2), rel=0.15)


@pytest.mark.parametrize("shape", [(31, 99, 3), (99, 31, 1), (1, 1, 1)])
def test_small_images_are_refused(shape):
    with pytest.raises(MidError, match=f"{shape[1]}x{shape[0]} .* at least 32 a side"):
        look(np.zeros(shape, np.float32))


@every_colour
@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_what_has_no_noise_has_no_level(value, channels):
    (one,) = seen(np.full((41, 67, channels), value)).looks
    assert (one.level < 1e-6).all()
    assert one.clipped == (value in (0, 1))
    for found in (one.curve, one.spectrum, [one.finest, one.flat, one.detail]):
        assert np.isfinite(found).all()


def test_a_colour_without_noise_is_no_trouble(rng):
    y = picture(3) + white(rng, 3, 10)
    y[..., 1] = 0
    level = 255 * seen(y).looks[0].level
    assert level[1] == 0
    np.testing.assert_allclose(level[[0, 2]], 10, rtol=0.15)


def test_most_images_decide_on_the_camera_but_not_black_ones(rng):
    n = white(rng, 1, 40)
    for axis in (0, 1):
        n = correlate1d(n, KERNEL, axis=axis)
    correlated = look((picture(1) + n).astype(np.float32))
    black = look(np.zeros((41, 67, 1), np.float32))
    camera = together([black, correlated, black])
    assert not camera.is_white
    assert camera.looks[1] is correlated
    assert together([black]).is_white


def test_the_std_is_read_off_the_curve():
    curve = np.stack([np.full(16, 0.1), np.arange(16) / 100])
    brightness = np.array([[0.0, 0.5 / 16], [0.7, 2 / 16], [1.0, 1.0]])
    expected = [[0.1, 0], [0.1, 0.015], [0.1, 0.15]]
    np.testing.assert_allclose(std_under(curve, brightness), expected)


def test_smoothing_keeps_the_brightness_of_each_colour(rng):
    y = 0.5 + white(rng, 3, 25) + [0, 0.1, 0.2]
    means = y.mean(axis=(0, 1))
    inside = smoothed(y)[12:-12, 12:-12].reshape(-1, 3)
    # A Gaussian of 3 pixels leaves 1 / (2 sqrt(pi) 3) of white noise's std.
    np.testing.assert_allclose(inside.mean(axis=0), means, atol=0.01)
    np.testing.assert_allclose(255 * inside.std(axis=0), 25 / 10.6, rtol=0.2)


def test_a_flat_spectrum_is_white():
    one = autocorrelation(np.ones((1, 1, 16, 16)), lags=3)
    assert one.shape == (7, 7, 1, 1)
    expected = np.zeros((7, 7))
    expected[3, 3] = 1
    np.testing.assert_allclose(one[..., 0, 0], expected, atol=1e-12)


def test_white_looks_lose_what_structure_gave_them():
    shares = {"clipped": 0, "flat": 1, "detail": 0.03}
    one = Look(
        level=np.array([0.1]),
        curve=np.full((1, 16), 0.1),
        places=np.full((64, 1), 0.1),
        spectrum=np.full((1, 1, 16, 16), 0.81),
        finest=0.9,
        **shares,
    )
    (found,) = together([one]).looks
    np.testing.assert_allclose(found.level, 0.09)
    np.testing.assert_allclose(found.curve, 0.09)
    # What was taken from the noise is structure: 0.03² + 0.19 0.1².
    assert found.detail == pytest.approx(np.sqrt(0.0028))
