"""NLM and BM3D, with the noise levels that they are given."""

import inspect
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import yaml
from skimage.data import astronaut

from mid_core.errors import MidError
from mid_core.evaluation.metrics import psnr
from mid_core.images.files import read_pixels
from mid_core.images.picture import to_float
from mid_core.methods import bm3d, nlm
from mid_core.methods.levels import autocovariance, level_of, power_spectrum
from mid_core.tables.published import CATEGORIES
from tests.methods.test_levels import boxed

needs_bm3d = pytest.mark.skipif(
    find_spec("bm3d") is None,
    reason="the package bm3d is not installed; it is for non-commercial use only",
)
METHODS = [nlm, pytest.param(bm3d, marks=[needs_bm3d, pytest.mark.slow])]
every_method = pytest.mark.parametrize("method", METHODS, ids=["nlm", "bm3d"])
every_colour = pytest.mark.parametrize("channels", [1, 3])


@pytest.fixture
def photo():
    return (astronaut()[100:161, 160:213] / 255).astype(np.float32)


@pytest.mark.parametrize("method", [nlm, bm3d], ids=["nlm", "bm3d"])
def test_what_a_config_reads_is_what_the_function_takes(method):
    options = yaml.safe_load(method.OPTIONS)
    defaults = {
        name: one.default
        for name, one in inspect.signature(method.denoise).parameters.items()
        if name != "y"
    }
    assert options == defaults
    assert method.FAMILY in CATEGORIES


@every_method
@every_colour
def test_a_constant_image_stays_constant(method, channels):
    x = np.full((41, 67, channels), 0.3, np.float32)
    np.testing.assert_allclose(method.denoise(x, 0.1), x, atol=1 / 255)


@every_method
@every_colour
def test_noise_is_taken_out_of_a_photo(rng, photo, method, channels):
    x = photo[..., :channels]
    y = x + rng.normal(0, 25 / 255, x.shape).astype(np.float32)
    x_hat = method.denoise(y, 25 / 255)
    assert x_hat.dtype == np.float32
    # White noise of 25 alone is 20.17 dB.
    assert psnr(x_hat, x) > 20.17 + (8 if channels == 3 else 6)


@every_method
def test_a_level_of_0_changes_nothing(photo, method):
    np.testing.assert_array_equal(method.denoise(photo, 0.0), photo)


def test_nlm_is_its_definition(rng):
    y = rng.normal(0.5, 0.1, (11, 13, 3)).astype(np.float32)
    sigma, h, patch, reach = 0.1, 0.08, 2, 6
    around = patch + reach
    padded = np.pad(y.astype(float), [(around, around)] * 2 + [(0, 0)], mode="reflect")

    def window(i, j):
        return padded[i - patch : i + patch + 1, j - patch : j + patch + 1]

    expected = np.zeros(y.shape)
    for i, j in np.ndindex(y.shape[:2]):
        total = 0.0
        for di, dj in np.ndindex(2 * reach + 1, 2 * reach + 1):
            k, m = i + around, j + around
            one, other = (k, m), (k + di - reach, m + dj - reach)
            d2 = ((window(*one) - window(*other)) ** 2).mean()
            weight = np.exp(-max(d2 - 2 * sigma**2, 0) / h**2)
            expected[i, j] += weight * padded[other]
            total += weight
        expected[i, j] /= total
    found = nlm.denoise(y, sigma)
    # The library's fast variant sums 4 x 4 of the 5 x 5 differences.
    np.testing.assert_allclose(found, expected, atol=5e-3)
    assert np.abs(found - y).mean() > 0.05


def test_a_scaled_image_gives_a_scaled_estimate(rng, photo):
    y = photo + rng.normal(0, 0.1, photo.shape).astype(np.float32)
    found = nlm.denoise(y / 4, 0.1 / 4)
    np.testing.assert_allclose(4 * found, nlm.denoise(y, 0.1), rtol=1e-4)


@pytest.mark.parametrize("name", ["seen", "white"])
def test_a_level_by_name_is_the_same_as_its_number(rng, photo, name):
    y = photo + rng.normal(0, 0.1, photo.shape).astype(np.float32)
    by_name = nlm.denoise(y, name)
    np.testing.assert_array_equal(by_name, nlm.denoise(y, level_of(name, y)))


def test_nlm_takes_no_spectrum(photo):
    with pytest.raises(MidError, match="one number, not its spectrum"):
        nlm.denoise(photo, np.ones(photo.shape))


@every_method
@every_colour
def test_white_noise_on_a_flat_image_is_averaged_away(rng, method, channels):
    n = rng.normal(0, 0.1, (33, 47, channels)).astype(np.float32)
    x_hat = method.denoise(0.5 + n)
    assert x_hat.shape == n.shape
    gain = n.std() / np.sqrt(np.mean((x_hat - 0.5) ** 2))
    # At least a third of what the plain mean of the 13 x 13 pixels within NLM's reach
    # would give; at most what the mean of the whole image would.
    assert 13 / 3 < gain < np.sqrt(33 * 47)


@every_method
def test_an_edge_stays_where_it_is(rng, method):
    x = np.full((33, 47, 1), 0.2, np.float32)
    x[:, 24:] = 0.8
    x_hat = method.denoise(x + rng.normal(0, 0.05, x.shape).astype(np.float32))
    assert psnr(x_hat, x) > 20 * np.log10(1 / 0.05) + 10
    np.testing.assert_array_equal(x_hat > 0.5, x > 0.5)


@every_method
@every_colour
@pytest.mark.parametrize("shape", [(19, 15), (41, 67)])
def test_what_has_no_noise_is_kept(method, shape, channels):
    flat = np.full((*shape, channels), 0.3, np.float32)
    edge = flat.copy()
    edge[:, 8:] = 0.9
    for x in (flat, edge):
        np.testing.assert_array_equal(method.denoise(x), x)


@every_method
def test_the_same_image_gives_the_same_estimate(rng, method):
    y = rng.normal(0.5, 0.1, (33, 47, 3)).astype(np.float32)
    before = y.copy()
    first = method.denoise(y)
    np.testing.assert_array_equal(first, method.denoise(y))
    np.testing.assert_array_equal(y, before)


@every_method
@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 4), (2, 20, 20, 3)])
def test_other_shapes_are_refused(rng, method, shape):
    with pytest.raises(MidError, match=r"give it as \(H, W, 1\) or \(H, W, 3\)"):
        method.denoise(rng.normal(0, 0.1, shape).astype(np.float32))


def test_real_photos_gain_by_the_level_that_is_seen(shared):
    for i in range(0, 12, 4):
        y, x = (
            to_float(read_pixels(shared / f"sidd_samples/{kind}_{i}.png"))[:256, :256]
            for kind in ("NOISY", "GT")
        )
        # By the level of white noise, which is half of it, NLM gains 1 dB.
        assert psnr(nlm.denoise(y), x) > psnr(y, x) + 3


@needs_bm3d
@pytest.mark.parametrize("shape", [(8, 8, 1), (20, 5, 3)])
def test_bm3d_refuses_images_of_one_block(rng, shape):
    with pytest.raises(MidError, match="at least 9 a side"):
        bm3d.denoise(rng.normal(0, 0.1, shape).astype(np.float32))


def test_without_its_package_bm3d_says_how_to_get_it(rng, monkeypatch):
    monkeypatch.setitem(sys.modules, "bm3d", None)
    y = rng.normal(0, 0.1, (20, 20, 1)).astype(np.float32)
    with pytest.raises(
        bm3d.NotInstalledError, match=r"non-commercial.*mid-denoise\[bm3d\]"
    ):
        bm3d.denoise(y)


@needs_bm3d
@pytest.mark.slow
@every_colour
def test_a_flat_spectrum_is_a_level(rng, photo, channels):
    x = photo[:33, :47, :channels]
    y = x + rng.normal(0, 0.1, x.shape).astype(np.float32)
    flat = np.full(x.shape, 0.1**2 * 33 * 47)
    found = bm3d.denoise(y, flat)
    np.testing.assert_allclose(found, bm3d.denoise(y, 0.1), atol=1e-3)


@needs_bm3d
@pytest.mark.slow
def test_bm3d_uses_what_a_bank_shows(rng, photo):
    y = photo + boxed(rng, photo.shape, 0.1)
    bank = [boxed(rng, (64, 79, 3), 0.05) for _ in range(10)]
    size = photo.shape[:2]
    known = vars(np).get("trapz")
    found = bm3d.denoise(y, power_spectrum(autocovariance(bank), size, level=0.1))
    assert psnr(found, photo) > psnr(bm3d.denoise(y, 0.1), photo) + 2
    # What the library misses in NumPy is not put there for all.
    assert vars(np).get("trapz") is known
    with pytest.raises(MidError, match="for the size of this image"):
        bm3d.denoise(y, np.ones((60, 53, 3)))


@needs_bm3d
@pytest.mark.slow
def test_a_grey_image_of_three_colours_is_the_grey_image(rng, photo):
    y = photo[:33, :47, :1] + rng.normal(0, 0.1, (33, 47, 1)).astype(np.float32)
    found = bm3d.denoise(np.repeat(y, 3, axis=2), 0.1)
    expected = np.repeat(bm3d.denoise(y, 0.1), 3, axis=2)
    np.testing.assert_allclose(found, expected, atol=1e-5)
