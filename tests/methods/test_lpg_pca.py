"""LPG-PCA: one group against its formula, and its second stage."""

import numpy as np
from skimage.data import astronaut

from mid_core.evaluation.metrics import psnr
from mid_core.methods import lpg_pca


def test_shares_are_those_of_the_clean_variance():
    found = lpg_pca.kept_share(np.array([0, 0.5, 1, 4.0]), 1.0)
    np.testing.assert_allclose(found, [0, 0, 0, 0.75])
    np.testing.assert_allclose(lpg_pca.kept_share(np.array([0, 2.0]), 0.0), [0, 1])


def test_patches_are_rebuilt_by_their_formula(rng, monkeypatch):
    monkeypatch.setattr(lpg_pca, "PUBLISHED", {1: (3, (12,))})
    y = rng.random((5, 6, 1)).astype(np.float32)
    places = [(i, j) for i in range(3) for j in range(4)]
    patches = np.stack(
        [y[i : i + 3, j : j + 3, 0].ravel() for i, j in places], axis=1
    ).astype(float)
    mean = patches.mean(axis=1, keepdims=True)
    covariance = (patches - mean) @ (patches - mean).T / 12
    variance, basis = np.linalg.eigh(covariance)
    share = np.maximum(variance - 0.2**2, 0) / variance
    rebuilt = basis @ (share[:, None] * (basis.T @ (patches - mean))) + mean
    total, count = np.zeros((5, 6)), np.zeros((5, 6))
    for one, (i, j) in zip(rebuilt.T, places, strict=True):
        total[i : i + 3, j : j + 3] += one.reshape(3, 3)
        count[i : i + 3, j : j + 3] += 1
    found = lpg_pca.denoise(y, 0.2)[..., 0]
    np.testing.assert_allclose(found, total / count, atol=1e-4)
    assert np.abs(found - y[..., 0]).max() > 0.01


def test_the_second_stage_gains(rng, monkeypatch):
    x = (astronaut()[100:149, 160:213, :1] / 255).astype(np.float32)
    y = x + rng.normal(0, 25 / 255, x.shape).astype(np.float32)
    both = psnr(lpg_pca.denoise(y, 25 / 255, step=3, reach=12), x)
    monkeypatch.setattr(lpg_pca, "PUBLISHED", {1: (7, (180,))})
    once = psnr(lpg_pca.denoise(y, 25 / 255, step=3, reach=12), x)
    assert both > once + 0.1
