"""What images of a camera show together, and its way through a file."""

import json
from dataclasses import fields

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from mid_core.cameras import Camera, from_plain, to_plain, together, uncorrelated
from mid_core.look import Look, autocorrelation, look

SHAPE = (99, 143)
KERNEL = np.array([1, 2, 1]) / 4
every_colour = pytest.mark.parametrize("channels", [1, 3])


def white(rng, channels, sigma=20):
    return 0.5 + sigma / 255 * rng.standard_normal((*SHAPE, channels))


def smooth(rng, channels, sigma=50):
    n = sigma / 255 * rng.standard_normal((*SHAPE, channels))
    for axis in (0, 1):
        n = correlate1d(n, KERNEL, axis=axis)
    return 0.5 + n


def textured(rng, channels):
    """White noise on a texture that is as smooth as correlated noise, everywhere."""
    return white(rng, channels, 5) + 0.7 * (smooth(rng, channels) - 0.5)


def seen(*images):
    return together([look(y.astype(np.float32)) for y in images])


@every_colour
@pytest.mark.parametrize("noise", [white, smooth])
def test_a_camera_comes_back_from_a_file(noise, channels, rng):
    camera = seen(noise(rng, channels), noise(rng, channels, 30))
    found = from_plain(json.loads(json.dumps(to_plain(camera))))
    assert found.is_white == camera.is_white
    assert found.is_developed == camera.is_developed
    assert len(found.looks) == 2
    for one, before in zip(found.looks, camera.looks, strict=True):
        for field in fields(Look):
            value, old = (getattr(each, field.name) for each in (one, before))
            assert np.shape(value) == np.shape(old)
            np.testing.assert_allclose(value, old, atol=1e-6)


@every_colour
def test_uncorrelated_noise_keeps_its_levels(channels, rng):
    camera = seen(smooth(rng, channels), smooth(rng, channels, 30))
    found = uncorrelated(camera)
    assert found.is_white
    assert not camera.is_white
    for one, before in zip(found.looks, camera.looks, strict=True):
        for name in ("level", "curve", "places"):
            np.testing.assert_array_equal(getattr(one, name), getattr(before, name))
        correlation = autocorrelation(one.spectrum, lags=2)
        np.testing.assert_allclose(correlation[2, 2], np.eye(channels), atol=1e-6)
        correlation[2, 2] = 0
        np.testing.assert_allclose(correlation, 0, atol=1e-6)
        # What the camera itself showed was not.
        own = autocorrelation(before.spectrum, lags=2)[2, 3]
        assert own.diagonal().min() > 0.5


@pytest.mark.parametrize(
    ("noise", "channels", "developed"),
    [(smooth, 3, True), (smooth, 1, False), (white, 3, False), (white, 1, False)],
)
def test_a_camera_develops_what_is_correlated_and_in_colours(
    noise, channels, developed, rng
):
    assert seen(noise(rng, channels)).is_developed is developed


@every_colour
def test_one_textured_image_among_others_is_of_a_white_camera(channels, rng):
    images = [textured(rng, channels), *(white(rng, channels, 5) for _ in range(3))]
    # Alone, its texture is taken for noise.
    alone = seen(images[0])
    assert not alone.is_white
    camera = seen(*images)
    assert camera.is_white
    levels = [255 * one.level.mean() for one in camera.looks]
    np.testing.assert_allclose(levels[1:], 5, rtol=0.1)


def test_an_image_that_is_surely_correlated_stays_so_among_white_ones(rng):
    n = smooth(rng, 1, 90) - 0.5
    for axis in (0, 1):
        n = correlate1d(n, KERNEL, axis=axis)
    camera = seen(0.5 + n, *(white(rng, 1) for _ in range(4)))
    assert camera.is_white
    correlation = [autocorrelation(one.spectrum, 1)[1, 2] for one in camera.looks]
    assert correlation[0].item() > 0.6
    assert max(abs(own.item()) for own in correlation[1:]) < 1e-6


def test_the_looks_of_a_camera_are_all_kept_in_order(rng):
    images = [white(rng, 1, sigma) for sigma in (5, 20, 10)]
    looks = seen(*images, np.zeros((41, 67, 1))).looks
    levels = [255 * one.level.item() for one in looks]
    np.testing.assert_allclose(levels, [5, 20, 10, 0], rtol=0.1, atol=1e-3)
    assert isinstance(Camera(looks, True).looks, tuple)
