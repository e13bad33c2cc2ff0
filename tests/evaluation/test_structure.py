"""How much of what is taken out goes with the estimate's own edges and texture."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mid_core.ensemble import denoise
from mid_core.evaluation.structure import structure_taken, taken_out
from mid_core.masking import Masking

SHAPE = (91, 133)


@pytest.fixture
def picture(rng):
    """Squares and texture, between 0.2 and 0.8."""
    down, right = np.mgrid[: SHAPE[0], : SHAPE[1]]
    squares = 0.4 * ((down // 13 + right // 17) % 2)
    texture = gaussian_filter(rng.standard_normal((*SHAPE, 3)), (1, 1, 0))
    return 0.3 + squares[..., None] + 0.1 * texture


@pytest.mark.parametrize("channels", [1, 3])
def test_an_exact_estimate_takes_nothing(picture, channels):
    x = picture[..., :channels]
    assert structure_taken(x, x) == 0
    # Nor does one that is brighter everywhere.
    assert structure_taken(x, x + 0.1) == pytest.approx(0, abs=1e-9)


def test_white_noise_that_is_taken_out_is_no_structure(picture, rng):
    n = 25 / 255 * rng.standard_normal(picture.shape)
    # Three bands explain so much of any noise by chance: 3 * 25 ** 2 / 12103 = 0.15.
    assert structure_taken(picture, picture + n) < 4 * 0.15


def test_structure_that_is_taken_out_is_counted_by_its_variance(picture, rng):
    edges = 0.2 * (picture - gaussian_filter(picture, (2, 2, 0)))
    n = 10 / 255 * rng.standard_normal(picture.shape)
    found = structure_taken(picture, picture + n + edges)
    expected = (255**2 * edges.var(axis=(0, 1))).mean()
    assert expected > 5
    assert found == pytest.approx(expected, rel=0.1)
    # Whether it was added or taken away.
    assert structure_taken(picture, picture + n - edges) == pytest.approx(
        expected, rel=0.1
    )


def test_twice_the_contrast_is_four_times_the_variance(picture, rng):
    n = 0.05 * rng.standard_normal(picture.shape)
    y = picture + n + 0.1 * (picture - gaussian_filter(picture, (4, 4, 0)))
    once, twice = structure_taken(picture, y), structure_taken(2 * picture, 2 * y)
    assert once > 1
    assert twice == pytest.approx(4 * once)


def test_colours_are_regressed_each_by_itself(picture, rng):
    n = 0.01 * rng.standard_normal(picture.shape)
    y = picture + n
    y[..., 1] += 0.3 * (picture - gaussian_filter(picture, (2, 2, 0)))[..., 1]
    each = [structure_taken(picture[..., c, None], y[..., c, None]) for c in range(3)]
    assert each[1] > 100 * max(each[0], each[2])
    assert structure_taken(picture, y) == pytest.approx(np.mean(each))


def test_noise_that_was_left_in_is_counted_too(picture, rng):
    n = 0.1 * rng.standard_normal(picture.shape)
    clean = structure_taken(picture, picture + n)
    half_done = structure_taken(picture + n / 2, picture + n)
    assert half_done > 20 * clean


@pytest.mark.parametrize("shape", [(1, 2, 1), (9, 13, 3)])
def test_an_even_estimate_has_no_bands(shape, rng):
    assert structure_taken(np.full(shape, 0.5), rng.random(shape)) == pytest.approx(0)


def test_what_a_network_takes_out_is_the_mean_over_images(network, picture, rng):
    y = [
        picture + sigma / 255 * rng.standard_normal(picture.shape) for sigma in (5, 15)
    ]
    y = [one.astype(np.float32) for one in y]
    network.set_patch_size(16)
    both = taken_out(network, Masking(0), y, [3])
    assert both.keys() == {"structure_taken", "residual_std", "noise_level"}
    each = [taken_out(network, Masking(0), [one], [3]) for one in y]
    for name, value in both.items():
        assert value == pytest.approx(np.mean([own[name] for own in each]))
    estimate = denoise(network, y[0], Masking(0), [0], [1])[0]
    assert each[0]["residual_std"] == pytest.approx(255 * (y[0] - estimate).std())
    assert each[0]["structure_taken"] == pytest.approx(structure_taken(estimate, y[0]))
    # A level is that of the image, whatever the network does.
    flat = np.float32(0.5) + y[1] - picture.astype(np.float32)
    found = taken_out(network, Masking(0), [flat], [3])["noise_level"]
    assert found == pytest.approx(15, rel=0.1)


def test_no_level_is_made_up_for_an_image_that_is_too_small(network, rng):
    found = taken_out(network, Masking(0.5), [rng.random((31, 45, 3), np.float32)], [3])
    assert np.isnan(found["noise_level"])
    assert np.isfinite([found["structure_taken"], found["residual_std"]]).all()


def test_a_small_image_does_not_hide_the_level_of_the_others(network, rng):
    images = [
        (0.5 + 0.05 * rng.standard_normal(shape)).astype(np.float32)
        for shape in ((67, 45, 3), (31, 45, 3))
    ]
    found = taken_out(network, Masking(0), images, [3])
    assert found["noise_level"] == pytest.approx(255 * 0.05, rel=0.15)
