import numpy as np
import pytest

from mid_core.images.pixelwise import add_noise, unit
from mid_core.patches import turned


def windows(image):
    """All eight orientations of an image, as views of it."""
    for mirrored in (image, image[:, ::-1]):
        for turns in range(4):
            yield np.rot90(mirrored, turns)


@pytest.mark.parametrize("channels", [1, 3])
def test_turns_are_those_of_numpy(rng, channels):
    image = rng.random((7, 5, channels))
    for turns in range(4):
        np.testing.assert_array_equal(turned(image, turns), np.rot90(image, turns))


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)]
)
def test_pixels_are_shares_of_white(rng, dtype, white):
    image = (rng.random((11, 6, 3)) * white).astype(dtype)
    for window in windows(image):
        out = np.empty(window.shape, np.float32)
        unit(window, out)
        np.testing.assert_allclose(out, window / white, rtol=2e-7)
    unit(np.full((1, 2, 3), white, dtype), white_out := np.empty((1, 2, 3), np.float32))
    assert (white_out == 1).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_of_any_bits_is_added(channels):
    # Every float16 there is, infinities and all that is no number among them.
    noise = np.arange(2**16, dtype=np.uint16).view(np.float16)
    noise = np.stack([noise.reshape(128, 512)] * 3, axis=2)
    pixels = np.full((128, 512, channels), 51, np.uint8)
    for n, window in zip(windows(noise), windows(pixels), strict=True):
        x, y = np.empty((2, *window.shape), np.float32)
        add_noise(window, n, x, y)
        np.testing.assert_allclose(x, 0.2)
        with np.errstate(invalid="ignore"):
            expected = x + n[..., :channels].astype(np.float32)
        np.testing.assert_array_equal(y, expected)
