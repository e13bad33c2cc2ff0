import numpy as np

from mid_core.noise import white_gaussian


def test_white_bank_has_the_spreads_asked_for():
    fields = dict(white_gaussian(300, 33, (5, 50), 3, seed=3))
    assert len(fields) == 300
    assert all(
        n.shape == (33, 33, 3) and n.dtype == np.float16 for n in fields.values()
    )
    spreads = 255 * np.array([n.astype(np.float64).std() for n in fields.values()])
    # A uniform draw from [5, 50] has mean 27.5 and standard deviation 12.99.
    assert spreads.min() > 4.7
    assert spreads.max() < 52
    assert abs(spreads.mean() - 27.5) < 5 * 12.99 / np.sqrt(300)
    assert abs(spreads.std() - 12.99) < 2


def test_element_of_a_bank_does_not_depend_on_the_others():
    short = dict(white_gaussian(2, 17, (5, 50), 3, seed=3))
    long = dict(white_gaussian(5, 17, (5, 50), 3, seed=3))
    for name, noise in short.items():
        np.testing.assert_array_equal(noise, long[name])
