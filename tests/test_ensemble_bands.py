"""An image denoised by bands equals the whole, number for number."""

import numpy as np
import pytest

from mid_core.ensemble import denoise, denoise_bands
from mid_core.masking import Masking
from tests.test_ensemble import Identity


def by_bands(network, y, masking, tile, num_masks=2, **options):
    """The bands, and which rows were read for each."""
    asked = []

    def read_rows(first, last):
        asked.append((first, last))
        return y[first:last].copy()

    height = len(y)
    bands = denoise_bands(
        network, read_rows, height, masking, [3], num_masks, tile, **options
    )
    return list(bands), asked


@pytest.mark.parametrize("tile", [16, 40, 77, 256])
@pytest.mark.parametrize("shape", [(1, 5, 3), (61, 43, 3), (203, 30, 3)])
def test_bands_give_the_numbers_of_the_whole(network, rng, shape, tile):
    # With local statistics: a tile then looks far beyond what it decides.
    network.set_patch_size(16)
    y = rng.random(shape, dtype=np.float32)
    bands, _ = by_bands(network, y, Masking(0.3), tile)
    (whole,) = denoise(network, y, Masking(0.3), [3], (2,), tile)
    np.testing.assert_array_equal(np.concatenate(bands), whole)


@pytest.mark.parametrize("per", ["pixel", "colour"])
def test_bands_of_any_height_see_one_mask(rng, per):
    y = rng.random((203, 30, 3), dtype=np.float32)
    (whole,) = denoise(Identity(), y, Masking(0.6, per=per), [3], (2,), 1024)
    heights = set()
    for tile in (16, 21, 64, 100, 203):
        bands, _ = by_bands(Identity(), y, Masking(0.6, per=per), tile)
        np.testing.assert_array_equal(np.concatenate(bands), whole)
        heights.add(len(bands[0]))
    assert len(heights) == 5


def test_a_band_needs_no_more_rows_than_a_tile(rng):
    y = rng.random((203, 30, 3), dtype=np.float32)
    shares = []
    bands, asked = by_bands(Identity(), y, Masking(0.0), 24, report=shares.append)
    assert len(bands) == len(asked) == 13
    assert max(last - first for first, last in asked) == 24
    assert sum(shares) == pytest.approx(1)
