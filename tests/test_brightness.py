"""The brightness of an estimate, put right for what a camera's curve did to noise."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from mid_core.brightness import brightness_error

SHAPES = [(67, 45, 3), (33, 47, 1), (7, 19, 3), (1, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["predicted", "developed"])
def test_an_error_has_the_shape_of_the_image(shape, mode, rng):
    x_hat, y = rng.random((2, *shape), dtype=np.float32)
    before = x_hat.copy(), y.copy()
    error = brightness_error(x_hat, y, mode)
    assert error.shape == shape
    assert error.dtype == np.float32
    assert np.isfinite(error).all()
    np.testing.assert_array_equal([x_hat, y], before)


def test_a_prediction_has_no_error(rng):
    x_hat, y = rng.random((2, 35, 53, 3), dtype=np.float32)
    assert not brightness_error(x_hat, y, "predicted").any()


@pytest.mark.parametrize("shape", [(67, 45, 3), (33, 47, 1), (7, 19, 3)])
@pytest.mark.parametrize("shift", [-0.1, 0.2])
def test_a_shift_of_the_brightness_is_seen_where_noise_is_weak(shape, shift, rng):
    right = np.linspace(0.3, 0.7, shape[1])[None, :, None]
    y = np.broadcast_to(right, shape) + 0.001 * rng.standard_normal(shape)
    y = y.astype(np.float32)
    error = brightness_error(y + np.float32(shift), y, "developed")
    np.testing.assert_allclose(error, shift, atol=0.002)


def test_a_turned_colour_is_turned_back_alone(rng):
    x = np.full((45, 67, 3), 0.5)
    y = (x + 0.001 * rng.standard_normal(x.shape)).astype(np.float32)
    error = brightness_error(y + np.float32([0, 0.1, 0]), y, "developed")
    means = error.mean(axis=(0, 1))
    np.testing.assert_allclose(means, [0, 0.1, 0], atol=0.002)


def test_what_is_local_is_put_right_locally(rng):
    x = np.full((61, 187, 1), 0.5)
    y = (x + 0.001 * rng.standard_normal(x.shape)).astype(np.float32)
    shift = np.where(np.arange(187) < 93, 0.1, 0)[None, :, None]
    error = brightness_error((y + shift).astype(np.float32), y, "developed")
    np.testing.assert_allclose(error[:, :60], 0.1, atol=0.003)
    np.testing.assert_allclose(error[:, 130:], 0, atol=0.003)


@pytest.mark.parametrize("light", [0.05, 0.1, 0.25, 0.5])
def test_what_the_curve_took_from_the_mean_is_given_back(light, rng):
    """Shot noise in linear light, under a square root, darkens what is developed."""
    shape, gain = (211, 273, 3), 0.005
    linear = light + np.sqrt(gain * light) * rng.standard_normal(shape)
    y = np.sqrt(np.clip(linear, 0, 1)).astype(np.float32)
    x_hat = uniform_filter(y, (31, 31, 0))
    bias = x_hat.mean() - np.sqrt(light)
    # What a Taylor series says of it, to make sure that there is something to see.
    assert bias == pytest.approx(-gain / (8 * np.sqrt(light)), rel=0.25)
    corrected = x_hat - brightness_error(x_hat, y, "developed")
    assert abs(corrected.mean() - np.sqrt(light)) < 0.25 * abs(bias)


def test_noise_that_ends_at_pure_white_is_no_trouble(rng):
    """As in a photograph with blown-out sky, in which nothing is left of the noise."""
    x_hat, y = rng.random((2, 128, 199, 3), dtype=np.float32)
    x_hat[60:], y[60:] = 1, 1
    error = brightness_error(x_hat, y, "developed")
    assert np.isfinite(error).all()
    np.testing.assert_allclose(error[80:], 0, atol=0.01)


def test_more_noise_darkens_more_and_the_dark_most(rng):
    n = rng.standard_normal((95, 131, 1))

    def given_back(value, std):
        y = np.clip(value + std * n, 0, 1).astype(np.float32)
        x_hat = np.full_like(y, y.mean())
        return -brightness_error(x_hat, y, "developed").mean()

    weak, strong = given_back(0.5, 0.03), given_back(0.5, 0.06)
    assert strong == pytest.approx(4 * weak, rel=0.15)
    assert given_back(0.25, 0.03) > 1.5 * weak
