import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from mid_core.errors import MidError
from mid_core.evaluation.realism import (
    MEASURES,
    gap,
    half,
    half_statistics,
    kl_divergence,
    moments,
    realism,
)


def fields(rng, make, shapes=((97, 131), (61, 259), (150, 83))):
    return [make(rng.standard_normal((*shape, 3))) for shape in shapes]


def smooth(white):
    """Make noise of 12 grey levels whose neighbours are alike."""
    filtered = uniform_filter(white, (3, 3, 0))
    return 12 / 255 * filtered / filtered.std()


def compared(bank, truth, image=None, under=None):
    """Compare a bank with true noise on grey images, if no others are given."""
    images = [np.full(n.shape, 0.5) for n in truth] if image is None else image
    return realism(half_statistics(bank, under, 1), half_statistics(truth, images, 0))


def test_divergence_of_histograms():
    # By hand: 3/4 ln(3/2) + 1/4 ln(1/2).
    p, q = np.array([15_000, 0, 5000]), np.array([10_000, 0, 10_000])
    assert kl_divergence(p, q) == pytest.approx(0.1308, abs=1e-4)
    assert kl_divergence(p, p) == 0
    # What q lacks counts much, and not without bound: a quarter of ln(5000 / 0.5).
    q = np.array([20_000, 0, 0])
    assert kl_divergence(p, q) == pytest.approx(2.09, abs=0.01)
    assert kl_divergence(q, p) == pytest.approx(np.log(4 / 3), abs=1e-3)


@pytest.mark.parametrize("width", [8, 63, 131, 511])
def test_halves_share_a_field_without_a_common_pixel(width):
    field = np.arange(19 * width).reshape(19, width, 1)
    one, other = (np.concatenate(half(field, side), 1).ravel() for side in (0, 1))
    assert not set(one) & set(other)
    assert len(one) + len(other) == field.size
    assert abs(len(one) - len(other)) <= 19 * 8


def test_too_small_a_field_says_so():
    with pytest.raises(MidError, match="7 x 30 pixels is too small"):
        half(np.zeros((7, 30, 1)), 0)


def test_moments_of_a_known_histogram():
    # By hand: levels 0 and 10, shares 3/4 and 1/4.
    edges = (np.arange(12) - 0.5) / 255
    counts = [30, *[0] * 9, 10]
    found = moments({"edges": edges, "counts": counts})
    expected = {"mean": 2.5, "std": 18.75**0.5, "skewness": 2 / 3**0.5}
    assert found == pytest.approx(expected | {"kurtosis": 7 / 3})
    nothing = moments({"edges": edges, "counts": [0] * 11})
    assert nothing == dict.fromkeys(found, 0)


def test_equal_distributions_score_about_the_floor(rng):
    truth, bank = fields(rng, smooth), fields(rng, smooth)
    same, floor = compared(bank, truth), compared(truth, truth)
    white = compared(fields(rng, lambda n: 12 / 255 * n), truth)
    for measure, limit in zip(MEASURES, [0.01, 0.03, 0.05, 0.6], strict=True):
        assert same[measure] < limit, measure
        assert floor[measure] < limit, measure
    assert white["autocorrelation"] > 0.1
    assert floor["std"] == pytest.approx(12, abs=0.5)


def test_spread_shows_in_the_divergence_and_the_moments(rng):
    truth = fields(rng, lambda n: n / 20)
    found = compared(fields(rng, lambda n: n * 1.5 / 20 + 0.02), truth)
    # By hand: (1 / 1.5^2 - 1 + 2 ln 1.5 + (0.02 * 20 / 1.5)^2) / 2.
    assert found["kl_nats"] == pytest.approx(0.1633, abs=0.01)
    assert found["mean"] == pytest.approx(0.02 * 255, abs=0.3)
    assert found["kurtosis"] == pytest.approx(3, abs=0.1)


def test_autocorrelation_of_a_known_filter(rng):
    found = compared(fields(rng, lambda n: n / 20), fields(rng, smooth))
    # A moving mean of 3 x 3 has 2/3, 1/3, 0 along each axis: the 48 sum to 9 - 1.
    assert found["autocorrelation"] == pytest.approx(8 / 48, abs=0.02)


def test_noise_that_depends_on_the_image_is_told_from_noise_that_does_not(rng):
    image = np.linspace(0, 1, 257)[:, None, None] * np.ones((1, 129, 3))
    truth = [rng.standard_normal(image.shape) * (5 + 20 * image) / 255]
    # The same spread everywhere: the root of the mean of (5 + 20 x)^2 is 16.07.
    bank = [rng.standard_normal((33, 41, 3)) * 16.07 / 255 for _ in range(40)]
    found = compared(bank, truth, [image])
    # The mean of |5 + 20 x - 16.07|.
    assert found["brightness_std_levels"] == pytest.approx(5.06, abs=0.4)
    same = compared(truth, truth, [image], [image])
    assert same["brightness_std_levels"] < 0.5
    # Bright and dark exchanged: half of 20 levels.
    turned = compared([truth[0][::-1]], truth, [image], [image])
    assert turned["brightness_std_levels"] == pytest.approx(10, abs=0.5)


def test_only_the_brightness_that_both_have_is_compared(rng):
    dark, all_of_it = np.full((40, 50, 1), 0.1), np.full((40, 50, 1), 0.1)
    all_of_it[20:] = 0.9
    truth = [rng.standard_normal(dark.shape) * np.where(all_of_it > 0.5, 50, 5) / 255]
    bank = [rng.standard_normal(dark.shape) * 8 / 255]
    found = compared(bank, truth, [all_of_it], [dark])
    assert found["brightness_std_levels"] == pytest.approx(3, abs=0.7)


def test_colours_that_share_their_noise(rng):
    truth = fields(rng, lambda n: (n + n[..., :1].repeat(3, 2)[..., ::-1]) / 20)
    white = compared(fields(rng, lambda n: n / 20), truth)
    alike = compared(fields(rng, lambda n: n[..., :1].repeat(3, 2) / 20), truth)
    # By hand: the first colour is twice what the others share: 2 / sqrt(4 * 2), 1 / 2.
    expected = (2 * 0.7071 + 0.5) / 3
    assert white["colour_correlation"] == pytest.approx(expected, abs=0.03)
    assert alike["colour_correlation"] == pytest.approx(1 - expected, abs=0.03)


def test_constant_noise_is_far_from_everything_and_no_error(rng):
    found = compared([np.zeros((19, 23, 3))], fields(rng, smooth))
    assert found["kl_nats"] > 2
    assert found["brightness_std_levels"] == pytest.approx(12, abs=0.5)
    assert found["std"] == found["kurtosis"] == 0


def test_grey_noise_has_no_colours_and_other_colours_say_so(rng):
    grey = [rng.standard_normal((41, 53, 1)) / 20]
    assert compared(grey, grey)["colour_correlation"] == 0
    with pytest.raises(MidError, match=r"1 colour\(s\) but the true noise 3"):
        compared(grey, fields(rng, smooth))


def images(rng, std, count=3, shape=(271, 333, 1)):
    return [0.5 + std * rng.standard_normal(shape) for _ in range(count)]


def test_gap_of_gaussians_falls_with_the_ratio_to_nothing(rng):
    found = gap(images(rng, 0.05), images(rng, 0.04))
    ratios, nats = (np.array(found[key]) for key in ("mask_ratio", "gap_nats"))
    np.testing.assert_allclose(ratios, np.linspace(0, 1, 21))
    assert (np.diff(nats) < 0).all()
    # By hand: (1.5625 - 1 - ln 1.5625) / 2 for each of two pixels; 1 - ratio show.
    np.testing.assert_allclose(nats, 2 * 0.0581 * (1 - ratios), atol=0.015)
    assert nats[-1] == 0
    # Whatever the images, and however few: it is a theorem.
    few = gap([rng.random((9, 11, 3))], [rng.random((8, 12, 3)) ** 2])["gap_nats"]
    assert (np.diff(few) < 0).all()


def test_equal_inputs_show_the_floor(rng):
    real = images(rng, 0.05)
    assert 0 < gap(real, real)["gap_nats"][0] < 0.02
    # What no camera gives is clipped.
    beyond = [np.where(y > 0.6, 1 + y, y) for y in real]
    assert gap(beyond, real) == gap([np.clip(y, 0, 1) for y in beyond], real)


def test_correlation_shows_only_where_two_pixels_are_seen(rng):
    white = images(rng, 0.05)
    alike = [0.5 + (n[:, 1:] + n[:, :-1] - 1) / np.sqrt(2) for n in white]
    nats = gap(alike, images(rng, 0.05))["gap_nats"]
    # By hand: -ln(1 - 0.5^2) / 2 of neighbours with a correlation of 0.5.
    assert nats[0] == pytest.approx(0.144, abs=0.02)
    # With half hidden, a quarter of the pairs is seen whole, and one pixel says nothing.
    assert nats[10] == pytest.approx(nats[0] / 4, abs=0.01)
