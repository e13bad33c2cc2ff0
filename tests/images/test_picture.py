"""Samples as floats and back, and pictures turned upright."""

import numpy as np
import pytest

from mid_core.errors import MidError
from mid_core.images.picture import Picture, to_dtype, to_float, upright
from tests.pictures import noise


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_float_and_back_is_exact_for_every_level(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    x = to_float(levels)
    assert (x.dtype, x.min(), x.max()) == (np.float32, 0, 1)
    np.testing.assert_array_equal(to_dtype(x, dtype), levels)


def test_other_dtypes_are_refused():
    with pytest.raises(MidError, match="float64"):
        to_float(np.zeros(3))
    with pytest.raises(MidError, match="int32"):
        to_dtype(np.zeros(3), "int32")


def test_rows_are_whole_arrays_in_the_order_of_memory():
    """Torch takes no others: a turned image is a view with backward steps."""
    picture = upright(noise(3), 7, None, None)
    rows = picture.rows(2, 9)
    assert rows.flags.c_contiguous
    turned = noise(3)[::-1, ::-1].swapaxes(0, 1)
    np.testing.assert_array_equal(rows, turned[2:9] / np.float32(255))


def test_rows_are_a_copy():
    picture = Picture(noise(3, "float32"))
    picture.rows(0, 9)[:] = 0
    assert picture.samples.any()
