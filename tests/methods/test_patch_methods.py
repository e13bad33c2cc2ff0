"""What holds for every method of patches without training, on small images."""

import inspect
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import yaml
from skimage.data import astronaut

from mid_core.errors import MidError
from mid_core.evaluation.metrics import psnr
from mid_core.images.files import read_pixels
from mid_core.images.picture import to_float
from mid_core.methods import nlm
from mid_core.tables.published import CATEGORIES

# Small ones; the level of TWSC is not multiplied by what suits real noise.
SETTINGS = {
    "ksvd": {"patches": 2000, "iterations": 2},
    "orthogonal_dictionary": {"patch": 8, "patches": 2000, "iterations": 5},
    "lpg_pca": {"group": 160, "step": 6, "reach": 10, "rebuilt": 60},
    "wnnm": {
        "patch": 5,
        "group": 70,
        "step": 5,
        "reach": 10,
        "iterations": 3,
        "local": 0.8,
    },
    "twsc": {"factor": 1.5, "group": 40, "step": 5, "reach": 10, "iterations": 3},
}
every_method = pytest.mark.parametrize("name", SETTINGS)
every_colour = pytest.mark.parametrize("channels", [1, 3])


def denoiser(name):
    return partial(import_module(f"mid_core.methods.{name}").denoise, **SETTINGS[name])


@pytest.fixture
def photo():
    return (astronaut()[100:161, 160:213] / 255).astype(np.float32)


@every_method
def test_what_a_config_reads_is_what_the_function_takes(name):
    method = import_module(f"mid_core.methods.{name}")
    parameters = inspect.signature(method.denoise).parameters.items()
    defaults = {name: one.default for name, one in parameters if name != "y"}
    options = yaml.safe_load(method.OPTIONS)
    assert options == defaults
    assert [*map(type, options.values())] == [*map(type, defaults.values())]
    assert method.FAMILY in CATEGORIES


@every_method
@every_colour
def test_white_noise_is_taken_out_better_than_by_nlm(rng, name, channels):
    x = (astronaut()[64:160, 128:223, :channels] / 255).astype(np.float32)
    y = x + rng.normal(0, 25 / 255, x.shape).astype(np.float32)
    before = y.copy()
    x_hat = denoiser(name)(y, 25 / 255)
    assert (x_hat.dtype, x_hat.shape) == (np.float32, x.shape)
    assert psnr(x_hat, x) > psnr(nlm.denoise(y, 25 / 255), x)
    np.testing.assert_array_equal(y, before)
    np.testing.assert_array_equal(denoiser(name)(y, 25 / 255), x_hat)


@every_method
def test_a_constant_image_stays_constant(name):
    for shape in ((41, 27, 1), (19, 33, 3)):
        x = np.full(shape, 0.3, np.float32)
        np.testing.assert_allclose(denoiser(name)(x, 0.1), x, atol=1e-5)


@every_method
@every_colour
def test_images_smaller_than_a_patch_have_an_estimate(rng, name, channels):
    for shape in ((1, 1), (3, 21), (40, 2)):
        y = rng.normal(0.5, 0.1, (*shape, channels)).astype(np.float32)
        x_hat = denoiser(name)(y, 0.1)
        assert x_hat.shape == y.shape
        assert np.abs(x_hat - 0.5).mean() <= np.abs(y - 0.5).mean() + 1e-5


@every_method
def test_a_scaled_image_gives_a_scaled_estimate(rng, photo, name):
    y = photo + rng.normal(0, 0.1, photo.shape).astype(np.float32)
    # What K-SVD blends, and how often WNNM is done, go by the level alone.
    share = 1 if name == "ksvd" else 4
    found = denoiser(name)(y / share, 0.1 / share)
    np.testing.assert_allclose(share * found, denoiser(name)(y, 0.1), atol=2e-3)


@every_method
def test_without_noise_nothing_changes(photo, name):
    np.testing.assert_array_equal(denoiser(name)(photo, 0.0), photo)
    flat = np.full((19, 15, 3), 0.3, np.float32)
    method = import_module(f"mid_core.methods.{name}")
    np.testing.assert_array_equal(method.denoise(flat), flat)


@every_method
def test_hardly_any_noise_changes_hardly_anything(photo, name):
    found = denoiser(name)(photo[:23, :31], 1e-3)
    np.testing.assert_allclose(found, photo[:23, :31], atol=0.01)


@every_method
def test_an_edge_stays_where_it_is(rng, name):
    x = np.full((33, 47, 1), 0.2, np.float32)
    x[:, 24:] = 0.8
    x_hat = denoiser(name)(x + rng.normal(0, 0.05, x.shape).astype(np.float32), 0.05)
    assert psnr(x_hat, x) > 20 * np.log10(1 / 0.05) + 8
    np.testing.assert_array_equal(x_hat > 0.5, x > 0.5)


@every_method
def test_spectra_and_other_shapes_are_refused(photo, name):
    with pytest.raises(MidError, match="as one number, not its spectrum"):
        denoiser(name)(photo, np.ones(photo.shape))
    with pytest.raises(MidError, match=r"give it as \(H, W, 1\) or \(H, W, 3\)"):
        denoiser(name)(photo[..., 0], 0.1)


@every_method
def test_real_photos_gain(shared, name):
    # TWSC with its own level and factor, which are for such noise.
    settings = {n: v for n, v in SETTINGS[name].items() if n != "factor"}
    denoise = import_module(f"mid_core.methods.{name}").denoise
    for i in (0, 4):
        y, x = (
            to_float(read_pixels(shared / f"sidd_samples/{kind}_{i}.png"))[:96, :96]
            for kind in ("NOISY", "GT")
        )
        assert psnr(denoise(y, **settings), x) > psnr(y, x) + 2
