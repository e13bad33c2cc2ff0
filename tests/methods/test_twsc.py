"""TWSC: one group against its formula, and what suits correlated noise."""

import numpy as np
from skimage.data import astronaut

from mid_core.evaluation.metrics import psnr
from mid_core.methods import twsc
from tests.methods.test_levels import boxed


def test_a_group_is_coded_by_its_formula(rng):
    # All 12 patches of an image are one group: each is coded for every other.
    y = rng.random((5, 6, 1)).astype(np.float32)
    found = twsc.denoise(y, 0.02, factor=2.0, patch=3, step=9, iterations=1)
    places = [(i, j) for i in range(3) for j in range(4)]
    patches = np.stack(
        [y[i : i + 3, j : j + 3, 0].ravel() for i, j in places], axis=1
    ).astype(float)
    mean = patches.mean(axis=1, keepdims=True)
    basis, values, _ = np.linalg.svd(patches - mean, full_matrices=False)
    clean = np.sqrt(np.maximum(values**2 - 12 * 0.04**2, 1e-30))
    code = basis.T @ (patches - mean)
    code = np.sign(code) * np.maximum(np.abs(code) - 0.04**2 / clean[:, None], 0)
    total, count = np.zeros((5, 6)), np.zeros((5, 6))
    for one, (i, j) in zip((basis @ code + mean).T, places, strict=True):
        total[i : i + 3, j : j + 3] += one.reshape(3, 3)
        count[i : i + 3, j : j + 3] += 1
    np.testing.assert_allclose(found[..., 0], total / count, atol=1e-4)
    assert np.abs(found - y).max() > 1e-3


def test_what_has_little_noise_counts_more():
    sigma = np.full((4, 5), 0.1, np.float32)
    sigma[0, 1] = 0.05
    estimate = twsc._sparse(sigma)
    patches = np.zeros((1, 4, 3), np.float32)
    _, weights = estimate(patches, np.array([[0, 1, 2]]))
    np.testing.assert_allclose(weights, [[10, 20, 10]], rtol=1e-5)


def test_its_factor_suits_correlated_noise(rng):
    x = (astronaut()[64:128, 128:189] / 255).astype(np.float32)
    y = x + boxed(rng, x.shape, 0.1)
    few = {"step": 5, "reach": 10, "iterations": 2}
    found, plain = (psnr(twsc.denoise(y, factor=f, **few), x) for f in (4.0, 1.0))
    assert found > plain + 3
    assert found > psnr(y, x) + 5
