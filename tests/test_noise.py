"""Banks of Gaussian noise, white or as measured, and what a network leaves."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from mid_core.cameras import Camera, together
from mid_core.look import Look, look
from mid_core.masking import Masking
from mid_core.noise import measured_gaussian, residual, white_gaussian

SHAPE = (131, 187)
KERNEL = np.array([1, 2, 1]) / 4


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


def white_look(*levels):
    """What an image with independent noise of this level in each colour shows."""
    channels = len(levels)
    colours = np.eye(channels)[..., None, None]
    return Look(
        level=np.array(levels),
        curve=np.repeat(np.array(levels)[:, None], 16, axis=1),
        places=np.repeat(np.array(levels)[None], 64, axis=0),
        spectrum=np.broadcast_to(colours, (channels, channels, 16, 16)),
        finest=1,
        clipped=0,
        flat=1,
        detail=0,
    )


def smoothed_noise(rng, channels, shared=0.0):
    """Noise of neighbours that share it: in colours, a part of the variance is common."""
    common = rng.standard_normal((*SHAPE, 1)) * np.sqrt(shared)
    n = common + np.sqrt(1 - shared) * rng.standard_normal((*SHAPE, channels))
    for axis in (0, 1):
        n = correlate1d(n, KERNEL, axis=axis, mode="wrap")
    return n * 0.1


def seen(*noise):
    return together([look((0.5 + n).astype(np.float32)) for n in noise])


def bank_of(camera, count=12, size=65, seed=4):
    fields = dict(measured_gaussian(camera, count, size, seed))
    assert len(fields) == count
    return [n.astype(np.float64) for n in fields.values()]


def lag(n, down, right):
    """Correlation of a field with itself, shifted; its mean is 0."""
    height, width = n.shape[:2]
    there = n[down:, right:] * n[: height - down, : width - right]
    return there.mean(axis=(0, 1)) / (n**2).mean(axis=(0, 1))


@pytest.mark.parametrize("size", [8, 33])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_measured_element_depends_on_its_number_alone(size, channels, rng):
    camera = seen(smoothed_noise(rng, channels), smoothed_noise(rng, channels))
    short = dict(measured_gaussian(camera, 2, size, seed=3))
    long = dict(measured_gaussian(camera, 5, size, seed=3))
    other = dict(measured_gaussian(camera, 2, size, seed=4))
    for name, noise in short.items():
        assert noise.dtype == np.float16
        assert noise.shape == (size, size, channels)
        np.testing.assert_array_equal(noise, long[name])
        assert (noise != other[name]).any()
    assert len({noise.tobytes() for noise in long.values()}) == 5


def test_measured_levels_are_those_of_the_images_in_turn():
    camera = Camera((white_look(0.02, 0.04), white_look(0.1, 0.05)), is_white=True)
    std = np.array([n.std(axis=(0, 1)) for n in bank_of(camera, 120, 33)])
    for i, levels in enumerate(([0.02, 0.04], [0.1, 0.05])):
        factors = std[i::2] / levels
        # Of 1089 values, a standard deviation is known to 2.1 %.
        assert factors.max() < 1.25 * 1.09
        assert factors.min() > 0.91 / 1.25
        # Colours are varied together; logarithms evenly, around 0.
        np.testing.assert_allclose(factors[:, 0], factors[:, 1], rtol=0.15)
        assert factors.max() > 1.12
        assert factors.min() < 0.88
        assert abs(np.log(factors).mean()) < 5 * 0.129 / np.sqrt(60)


def test_measured_levels_are_those_of_places():
    one = white_look(0.05)
    one.places[:, 0] = np.where(np.arange(64) % 4, 0.02, 0.08)
    std = np.array([n.std() for n in bank_of(Camera((one,), True), 200, 17)])
    strong = std > 0.04
    # A quarter of the places.
    assert abs(strong.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 200)
    for level, own in ((0.08, std[strong]), (0.02, std[~strong])):
        assert own.max() < 1.25 * 1.2 * level
        assert own.min() > level / 1.25 / 1.2


@pytest.mark.parametrize("channels", [1, 3])
def test_measured_noise_is_correlated_as_that_of_the_images(channels, rng):
    camera = seen(smoothed_noise(rng, channels))
    assert not camera.is_white
    fields = bank_of(camera)
    # Of weights 1, 2, 1: (2 + 2) / 6 for a shift by one, and 1 / 6 by two.
    for shift, expected in ((1, 4 / 6), (2, 1 / 6), (4, 0)):
        for there in ((shift, 0), (0, shift)):
            found = np.mean([lag(n, *there) for n in fields])
            assert found == pytest.approx(expected, abs=0.1)
    diagonal = np.mean([lag(n, 1, 1) for n in fields])
    assert diagonal == pytest.approx((4 / 6) ** 2, abs=0.1)


@pytest.mark.parametrize("channels", [1, 3])
def test_levels_of_correlated_noise_are_varied_upwards(channels, rng):
    fields = bank_of(seen(smoothed_noise(rng, channels)), 120)
    # The filter's variance, 6 / 16 for each axis, is in the level.
    factors = np.array([n.std() for n in fields]) / (0.1 * 6 / 16)
    assert 1.7 < factors.max() < 2 * 1.15
    assert 0.8 / 1.15 < factors.min() < 0.9
    # Logarithms evenly: their deviation is that of 0.916 in all.
    mean = np.log(factors).mean()
    assert abs(mean - np.log(0.8 * 2) / 2) < 0.03 + 4 * 0.265 / np.sqrt(120)


@pytest.mark.parametrize("shared", [0, 0.6])
def test_measured_colours_share_as_much_noise_as_those_of_the_images(shared, rng):
    fields = bank_of(seen(smoothed_noise(rng, 3, shared)))
    colours = np.mean([np.corrcoef(n.reshape(-1, 3).T) for n in fields], axis=0)
    np.testing.assert_allclose(colours[np.triu_indices(3, 1)], shared, atol=0.1)


@pytest.mark.parametrize("channels", [1, 3])
def test_white_images_make_a_white_bank(channels, rng):
    images = (0.05 * rng.standard_normal((*SHAPE, channels)) for _ in range(2))
    camera = seen(*images)
    assert camera.is_white
    fields = bank_of(camera)
    for there in ((0, 1), (1, 0), (1, 1)):
        assert abs(np.mean([lag(n, *there) for n in fields])) < 0.03
    assert np.mean([n.std() for n in fields]) == pytest.approx(0.05, rel=0.1)


def test_smallest_elements_are_correlated_too(rng):
    fields = bank_of(seen(smoothed_noise(rng, 3)), 200, 8)
    # Sums first: over 64 values, a mean of ratios would be too small.
    along = np.sum([(n[:, 1:] * n[:, :-1]).sum() / 7 for n in fields])
    found = along / np.sum([(n**2).sum() / 8 for n in fields])
    assert found == pytest.approx(4 / 6, abs=0.1)


def test_a_residual_takes_the_brightness_that_it_is_asked_for(network, rng):
    """All of the network's own brightness is put back where it is not to be kept."""
    x = np.full((67, 45, 3), 0.5)
    y = (x + 0.002 * rng.standard_normal(x.shape)).astype(np.float32)

    def left(**options):
        return residual(network, y, Masking(0), [1], **options).astype(np.float64)

    own = left()
    np.testing.assert_array_equal(left(brightness="predicted"), own)
    put_back = left(brightness="developed")
    # The network is not trained: it turns a colour.
    turned = abs(own.mean(axis=(0, 1))).max()
    assert turned > 0.01
    assert abs(put_back.mean(axis=(0, 1))).max() < 0.3 * turned
