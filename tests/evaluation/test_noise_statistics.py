import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter

from mid_core.evaluation.gate import SYMPTOMS
from mid_core.evaluation.noise_statistics import (
    LAGS,
    SMOOTHING,
    Statistics,
    autocorrelation,
    leakage,
    symptoms,
)


def summary(*fields, image=None):
    statistics = Statistics()
    for noise in fields:
        statistics.add(noise, image)
    return statistics.summary()


def test_autocorrelation_of_known_fields(rng):
    white = rng.standard_normal((301, 257, 3))
    values = autocorrelation(white)
    assert values[LAGS, LAGS] == pytest.approx(1)
    values[LAGS, LAGS] = 0
    assert abs(values).max() < 0.03
    # A moving mean of 3 x 1 has a triangular autocorrelation: 2/3, 1/3, 0.
    smooth = autocorrelation(uniform_filter(white, (3, 1, 1)))
    np.testing.assert_allclose(
        smooth[LAGS : LAGS + 4, LAGS], [1, 2 / 3, 1 / 3, 0], atol=0.03
    )
    np.testing.assert_allclose(smooth[LAGS, LAGS + 1 : LAGS + 3], 0, atol=0.03)


def test_autocorrelation_is_the_mean_over_pairs_inside():
    # By hand: n = (1, -1, 1, -1) along a row; neighbours multiply to -1, next to 1.
    n = np.tile(np.array([1.0, -1.0, 1.0, -1.0])[None, :, None], (6, 1, 1))
    values = autocorrelation(n, lags=2)
    np.testing.assert_allclose(values[2], [1, -1, 1, -1, 1], atol=1e-12)


def test_statistics_of_a_mixture(rng):
    common = rng.standard_normal((128, 99, 1))
    own = rng.standard_normal((128, 99, 3))
    noise = 0.1 * (common + own) - 0.02
    found = summary(noise, noise)
    assert found["images"] == 2
    np.testing.assert_allclose(found["mean"], noise.mean(axis=(0, 1)), atol=1e-12)
    np.testing.assert_allclose(found["std"], noise.std(axis=(0, 1)), rtol=1e-9)
    # Equal shares of a common and an own part: correlation one half.
    colours = np.array(found["colour_correlation"])
    np.testing.assert_allclose(colours[np.triu_indices(3, 1)], 0.5, atol=0.03)
    assert sum(found["histogram"]["counts"]) <= 2 * noise.size


def test_variance_follows_brightness(rng):
    image = np.linspace(0, 1, 200)[None, :, None] * np.ones((300, 1, 3))
    noise = rng.standard_normal(image.shape) * np.sqrt(0.01 * image + 0.001)
    curve = summary(noise, image=image)["variance_by_brightness"]
    expected = 0.01 * np.array(curve["brightness"]) + 0.001
    np.testing.assert_allclose(curve["variance"], expected, rtol=0.1)
    assert sum(curve["samples"]) == image.size


def test_leakage_is_the_share_of_the_variance_that_the_image_explains(rng):
    image = gaussian_filter(rng.standard_normal((201, 157, 3)), (5, 5, 0))
    white = rng.standard_normal(image.shape)
    assert leakage(white, image) < 0.01
    assert leakage(white * (1 + 5 * abs(image)), image) < 0.01
    smooth = gaussian_filter(image, (SMOOTHING, SMOOTHING, 0))
    down, right = np.gradient(smooth, axis=(0, 1))
    for structure in (smooth, down, right, np.hypot(down, right)):
        structure = structure / structure.std(axis=(0, 1))
        assert leakage(0.3 * structure + 0.1, image) > 0.97
        # Equal parts: a half. Two parts of noise in amplitude: a fifth.
        assert leakage(structure + white, image) == pytest.approx(1 / 2, abs=0.03)
        assert leakage(structure - 2 * white, image) == pytest.approx(1 / 5, abs=0.03)


def test_leakage_of_what_does_not_vary_is_none(rng):
    image = rng.random((19, 23, 3))
    assert leakage(np.full(image.shape, 0.1), image) == 0
    assert leakage(image, np.full(image.shape, 0.1)) < 0.1


def test_symptoms_of_known_distributions(rng):
    normal = rng.standard_normal((307, 211, 3))
    found = symptoms(normal)
    assert found["kurtosis"] == pytest.approx(3, abs=0.1)
    # Two of each colour.
    assert found["pinned"] == pytest.approx(2 / (307 * 211))
    assert found["zeros"] == 0
    uniform = rng.random(normal.shape)
    assert symptoms(uniform)["kurtosis"] == pytest.approx(1.8, abs=0.02)
    # 31.7 % of a normal distribution lie beyond one standard deviation.
    clipped = symptoms(normal.clip(-1, 1))
    assert clipped["pinned"] == pytest.approx(0.3173, abs=0.005)
    half = symptoms(normal.clip(0, None))
    assert half["pinned"] == pytest.approx(0.5, abs=0.01)
    assert half["zeros"] == pytest.approx(0.5, abs=0.01)
    constant = symptoms(np.full((5, 7, 3), 0.25))
    assert constant == {"kurtosis": 0, "pinned": 1, "zeros": 0}


def test_black_and_white_pixels_are_counted_after_rounding(rng):
    image = rng.uniform(0, 1, (67, 45, 3)).astype(np.float32)
    noisy = rng.integers(1, 255, image.shape) / np.float32(255)
    noisy[:6], noisy[6:9] = 0, 1
    noise = (noisy - image).astype(np.float16)
    assert symptoms(noise, image)["clipped"] == pytest.approx(9 / 67)


def test_symptoms_are_means_over_images_and_what_is_not_finite_counts_as_zero(rng):
    image = rng.random((20, 30, 3))
    whole, broken = rng.standard_normal((2, *image.shape))
    broken[:5], broken[5] = np.nan, np.inf
    found = summary(whole, broken, image=image)
    assert set(SYMPTOMS) <= set(found)
    assert found["not_finite"] == pytest.approx(6 / 20 / 2)
    assert found["zeros"] == pytest.approx(6 / 20 / 2)
    assert np.isfinite(found["std"]).all()
    without = summary(whole)
    assert "leakage" not in without
    assert without["not_finite"] == 0
