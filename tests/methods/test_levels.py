"""The noise levels that methods without training are given, and their spectra."""

import numpy as np
import pytest

from mid_core.errors import MidError
from mid_core.images.files import read_pixels
from mid_core.images.picture import to_float
from mid_core.methods.levels import (
    autocovariance,
    level_of,
    noise_level,
    power_spectrum,
)


def white(rng, shape, sigma):
    return rng.normal(0, sigma, shape).astype(np.float32)


def boxed(rng, shape, sigma):
    """Means of 2 x 2 white values: at a shift of 1 pixel correlated by a half."""
    high, wide, channels = shape
    n = rng.normal(0, 2 * sigma, (high + 1, wide + 1, channels))
    return ((n[1:, 1:] + n[:-1, 1:] + n[1:, :-1] + n[:-1, :-1]) / 4).astype(np.float32)


@pytest.mark.parametrize("name", ["seen", "white"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_white_noise_is_measured(rng, name, sigma, channels):
    y = 0.5 + white(rng, (255, 191, channels), sigma)
    assert level_of(name, y) == pytest.approx(sigma, rel=0.05)


def test_the_level_of_colours_is_their_root_mean_square(rng):
    y = 0.5 + white(rng, (255, 191, 3), 1) * np.float32([0.02, 0.04, 0.12])
    # The root of (4 + 16 + 144) / 3.
    assert noise_level(y) == pytest.approx(0.0739, rel=0.05)


def test_correlated_noise_is_measured(rng):
    y = 0.5 + boxed(rng, (255, 191, 1), 0.1)
    assert noise_level(y) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("shape", [(31, 95), (95, 31)])
def test_small_images_have_a_level_of_white_noise(rng, shape):
    y = 0.5 + white(rng, (*shape, 1), 0.1)
    assert noise_level(y) == pytest.approx(0.1, rel=0.1)
    assert noise_level(y) == level_of("white", y)


@pytest.mark.parametrize("name", ["seen", "white"])
@pytest.mark.parametrize("value", [0, 0.3, 1])
@pytest.mark.parametrize("shape", [(19, 15, 3), (41, 67, 3), (41, 67, 1)])
def test_what_has_no_noise_has_level_0(shape, value, name):
    assert level_of(name, np.full(shape, value, np.float32)) == 0


def test_the_noise_of_real_photos_is_measured(shared):
    for i in range(0, 12, 4):
        y, x = (
            to_float(read_pixels(shared / f"sidd_samples/{kind}_{i}.png"))[:256, :256]
            for kind in ("NOISY", "GT")
        )
        assert noise_level(y) == pytest.approx((y - x).std(), rel=0.2)


def test_the_true_level_is_that_of_noisy_minus_truth(rng):
    n = rng.normal(0, 1, (37, 51, 3))
    n = (n - n.mean(axis=(0, 1))) / n.std(axis=(0, 1)) * [0.02, 0.04, 0.12]
    x = rng.random(n.shape)
    # A constant is no noise; the root of (4 + 16 + 144) / 3 is 7.394.
    y = x + n + [0.1, 0, -0.2]
    assert level_of("true", y, x) == pytest.approx(0.07394, rel=1e-4)


def test_of_correlated_noise_an_estimate_of_white_noise_sees_too_little(rng):
    x = np.full((255, 191, 3), 0.5, np.float32)
    y = x + boxed(rng, x.shape, 0.1)
    white, seen, true = (level_of(name, y, x) for name in ("white", "seen", "true"))
    assert true == pytest.approx(0.1, rel=0.02)
    assert seen == pytest.approx(true, rel=0.1)
    assert white < 0.6 * true


def test_levels_say_what_they_lack(rng):
    photo = rng.random((61, 53, 3), np.float32)
    with pytest.raises(MidError, match="there is no truth"):
        level_of("true", photo)
    with pytest.raises(MidError, match=r"truth is \(61, 53, 1\)"):
        level_of("true", photo, photo[..., :1])
    with pytest.raises(MidError, match=r"a noise bank, and there is none here"):
        level_of("spectrum", photo)
    with pytest.raises(MidError, match="1 colours and the image 3"):
        level_of("spectrum", photo, covariance=np.ones((3, 3, 1)))
    with pytest.raises(MidError, match="there are: seen, white, true, spectrum"):
        level_of("loud", photo)
    with pytest.raises(MidError, match="bank is empty"):
        autocovariance([])


def test_the_covariance_of_stripes():
    # 1 and -1 in turn along a row, all rows alike, of two colours the second twofold.
    n = np.tile(np.float16([1, -1]), (5, 3))[..., None] * np.float16([1, 2])
    found = autocovariance([n, n[:3]], lags=2)
    along, across = found[2], found[:, 2]
    np.testing.assert_allclose(along[:, 0], [1, -1, 1, -1, 1], atol=1e-6)
    np.testing.assert_allclose(across[:, 1], [4, 4, 4, 4, 4], atol=1e-6)


def test_a_spectrum_is_the_mean_power_of_the_noise(rng):
    bank = [boxed(rng, (128, 111, 1), 0.1).astype(np.float16) for _ in range(60)]
    found = power_spectrum(autocovariance(bank), (31, 24))
    # A mean of two neighbours passes (1 + cos w) / 2 of the power.
    passed = [0.5 + 0.5 * np.cos(2 * np.pi * np.fft.fftfreq(n)) for n in (31, 24)]
    expected = 4 * 0.1**2 * np.multiply.outer(*passed) * 31 * 24
    assert found.shape == (31, 24, 1)
    np.testing.assert_allclose(found[..., 0], expected, atol=0.06 * expected.max())
    drawn = [boxed(rng, (31, 24, 1), 0.1) for _ in range(200)]
    power = np.mean([np.abs(np.fft.fft2(n[..., 0])) ** 2 for n in drawn], axis=0)
    assert found.mean() == pytest.approx(power.mean(), rel=0.05)


@pytest.mark.parametrize("size", [(9, 11), (50, 33)])
def test_a_spectrum_has_the_level_that_is_asked_for(rng, size):
    covariance = autocovariance([boxed(rng, (64, 79, 3), 0.1)])
    found = power_spectrum(covariance, size, level=0.03)
    assert found.min() >= 0
    assert found.mean() / np.prod(size) == pytest.approx(0.03**2, rel=1e-6)
