"""How much of what is taken out goes with the estimate's own edges and texture."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mid_core.evaluation.structure import structure_taken

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
