"""Methods without training, on noise whose level and correlation are known."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from mid_core.errors import MidError
from mid_core.evaluation.baselines import BASELINES, NotInstalledError, noise_level
from mid_core.evaluation.metrics import psnr
from mid_core.images.files import read_pixels
from mid_core.images.picture import to_float

needs_bm3d = pytest.mark.skipif(
    find_spec("bm3d") is None,
    reason="the package bm3d is not installed; it is for non-commercial use only",
)
every_baseline = pytest.mark.parametrize(
    "name", ["nlm", pytest.param("bm3d", marks=[needs_bm3d, pytest.mark.slow])]
)
every_colour = pytest.mark.parametrize("channels", [1, 3])


def white(rng, shape, sigma):
    return rng.normal(0, sigma, shape).astype(np.float32)


def test_the_names_are_those_offered():
    assert list(BASELINES) == ["nlm", "bm3d"]


@every_colour
@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_white_noise_is_measured(rng, sigma, channels):
    y = 0.5 + white(rng, (255, 191, channels), sigma)
    assert noise_level(y) == pytest.approx(sigma, rel=0.05)


def test_the_level_of_colours_is_their_root_mean_square(rng):
    y = 0.5 + white(rng, (255, 191, 3), 1) * np.float32([0.02, 0.04, 0.12])
    # The root of (4 + 16 + 144) / 3.
    assert noise_level(y) == pytest.approx(0.0739, rel=0.05)


def test_correlated_noise_is_measured(rng):
    n = white(rng, (256, 192, 1), 0.2)
    n = (n[1:, 1:] + n[:-1, 1:] + n[1:, :-1] + n[:-1, :-1]) / 4
    assert noise_level(0.5 + n) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("shape", [(31, 95), (95, 31)])
def test_small_images_have_a_level_of_white_noise(rng, shape):
    y = 0.5 + white(rng, (*shape, 1), 0.1)
    assert noise_level(y) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("value", [0, 0.3, 1])
@pytest.mark.parametrize("shape", [(19, 15, 3), (41, 67, 3), (41, 67, 1)])
def test_what_has_no_noise_has_level_0(shape, value):
    assert noise_level(np.full(shape, value, np.float32)) == 0


@every_baseline
@every_colour
def test_white_noise_on_a_flat_image_is_averaged_away(rng, name, channels):
    n = white(rng, (33, 47, channels), 0.1)
    x_hat = BASELINES[name](0.5 + n)
    assert x_hat.shape == n.shape
    assert x_hat.dtype == np.float32
    gain = n.std() / np.sqrt(np.mean((x_hat - 0.5) ** 2))
    # At least a third of what the plain mean of the 13 x 13 pixels within NLM's reach
    # would give; at most what the mean of the whole image would.
    assert 13 / 3 < gain < np.sqrt(33 * 47)


@every_baseline
def test_an_edge_stays_where_it_is(rng, name):
    x = np.full((33, 47, 1), 0.2, np.float32)
    x[:, 24:] = 0.8
    x_hat = BASELINES[name](x + white(rng, x.shape, 0.05))
    assert psnr(x_hat, x) > 20 * np.log10(1 / 0.05) + 10
    np.testing.assert_array_equal(x_hat > 0.5, x > 0.5)


@every_baseline
@every_colour
@pytest.mark.parametrize("shape", [(19, 15), (41, 67)])
def test_what_has_no_noise_is_kept(name, shape, channels):
    flat = np.full((*shape, channels), 0.3, np.float32)
    edge = flat.copy()
    edge[:, 8:] = 0.9
    for x in (flat, edge):
        np.testing.assert_array_equal(BASELINES[name](x), x)


@every_baseline
def test_the_same_image_gives_the_same_estimate(rng, name):
    y = 0.5 + white(rng, (33, 47, 3), 0.1)
    before = y.copy()
    first = BASELINES[name](y)
    np.testing.assert_array_equal(first, BASELINES[name](y))
    np.testing.assert_array_equal(y, before)


@every_baseline
@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 4), (2, 20, 20, 3)])
def test_other_shapes_are_refused(rng, name, shape):
    with pytest.raises(MidError, match=r"give it as \(H, W, 1\) or \(H, W, 3\)"):
        BASELINES[name](white(rng, shape, 0.1))


@needs_bm3d
@pytest.mark.parametrize("shape", [(8, 8, 1), (20, 5, 3)])
def test_bm3d_refuses_images_of_one_block(rng, shape):
    with pytest.raises(MidError, match="at least 9 a side"):
        BASELINES["bm3d"](white(rng, shape, 0.1))


def test_without_its_package_bm3d_says_how_to_get_it(rng, monkeypatch):
    monkeypatch.setitem(sys.modules, "bm3d", None)
    with pytest.raises(NotInstalledError, match=r"non-commercial.*mid-denoise\[bm3d\]"):
        BASELINES["bm3d"](white(rng, (20, 20, 1), 0.1))


def test_the_noise_of_real_photos_is_measured(shared):
    for i in range(0, 12, 4):
        y, x = (
            to_float(read_pixels(shared / f"sidd_samples/{kind}_{i}.png"))[:256, :256]
            for kind in ("NOISY", "GT")
        )
        assert noise_level(y) == pytest.approx((y - x).std(), rel=0.2)
        # By Donoho's level, which is half of it, NLM gains 1 dB.
        assert psnr(BASELINES["nlm"](y), x) > psnr(y, x) + 3
