"""An orthogonal dictionary: what learning keeps, and that it begins as cosines."""

import numpy as np
import pytest
from scipy.fft import dctn, idctn
from skimage.data import brick

from mid_core.evaluation.metrics import psnr
from mid_core.methods import orthogonal_dictionary as method


@pytest.mark.parametrize(("channels", "side"), [(1, 8), (3, 5)])
def test_learning_keeps_the_dictionary_orthonormal_and_fits(rng, channels, side):
    fixed, learned = method.cosines(channels, side)
    size = channels * side**2
    known = np.cumsum(rng.normal(0, 1, (size, 400)), axis=0)
    targets, threshold = known - fixed @ (fixed.T @ known), 4.0
    last = np.inf
    for _ in range(4):
        code = method.hard(learned.T @ known, threshold)
        error = np.square(targets - learned @ code).sum()
        error += threshold**2 * np.count_nonzero(code)
        assert error < last
        last = error
        learned = method.turned(known, fixed, learned, threshold)
        whole = np.hstack([fixed, learned])
        np.testing.assert_allclose(whole.T @ whole, np.eye(size), atol=1e-10)


def test_before_learning_it_is_a_threshold_of_cosines(rng):
    y = rng.normal(0.5, 0.1, (11, 14, 1)).astype(np.float32)
    expected, count = np.zeros((11, 14)), np.zeros((11, 14))
    for i, j in np.ndindex(8, 11):
        own = dctn(y[i : i + 4, j : j + 4, 0].astype(float), norm="ortho")
        kept = np.abs(own) >= 0.27
        kept[0, 0] = True
        expected[i : i + 4, j : j + 4] += idctn(own * kept, norm="ortho")
        count[i : i + 4, j : j + 4] += 1
    found = method.denoise(y, 0.1, patch=4, iterations=0)
    np.testing.assert_allclose(found[..., 0], expected / count, atol=1e-5)


def test_without_a_threshold_it_gives_the_image_back(rng):
    y = rng.random((23, 31, 3)).astype(np.float32)
    found = method.denoise(y, 0.1, patch=5, iterations=2, threshold=0.0)
    np.testing.assert_allclose(found, y, atol=1e-5)


def test_learning_gains_on_a_texture(rng):
    x = (brick()[:96, :101, None] / 255).astype(np.float32)
    y = x + rng.normal(0, 0.1, x.shape).astype(np.float32)
    found = [psnr(method.denoise(y, 0.1, patch=8, iterations=n), x) for n in (0, 10)]
    assert found[1] > found[0] + 0.2
