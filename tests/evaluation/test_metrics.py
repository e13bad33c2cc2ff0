"""Scores agree with hand computation and with independent implementations."""

import math

import numpy as np
import pytest
from scipy import ndimage
from skimage import data
from skimage.color import rgb2ycbcr
from skimage.metrics import structural_similarity

from mid_core.errors import MidError
from mid_core.evaluation import metrics


@pytest.fixture(scope="module")
def pair():
    """A noisy and a clean colour image, (53, 31, 3), float32; noise differs by colour.

    The clean image is smooth and nearly grey, as photographs are.
    """
    rng = np.random.default_rng(0)
    grey = ndimage.gaussian_filter(rng.random((53, 31)), 2)
    grey = (grey - grey.min()) / np.ptp(grey) * 0.8 + 0.1
    x = np.dstack([grey, grey * 0.95, grey * 0.9]).astype(np.float32)
    n = rng.normal(0, 1, x.shape) * [0.02, 0.05, 0.1]
    return (x + n).astype(np.float32), x


def score(x_hat, x, protocol):
    return metrics.scores(x_hat, x, [protocol])[0]


def eight_bits(image):
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "win_size": 11}


@pytest.mark.parametrize("offset", [0.5, 0.1, -0.01])
def test_psnr_of_a_constant_offset(offset):
    x = np.full((12, 13, 3), 0.5)
    expected = -20 * math.log10(abs(offset))
    assert metrics.psnr(x + offset, x) == pytest.approx(expected, abs=1e-9)
    scored = score(x + offset, x, "sidd-matlab3d")
    assert scored["psnr_db"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", metrics.PROTOCOLS)
@pytest.mark.parametrize("channels", [1, 3])
def test_two_flat_images_score_as_computed_by_hand(name, channels):
    a, b = 51 / 255, 102 / 255
    x_hat, x = (np.full((53, 12, channels), level) for level in (a, b))
    if name == "luma" and channels == 3:
        a, b = (16 + 219 * a) / 255, (16 + 219 * b) / 255
    scored = score(x_hat, x, name)
    assert scored["psnr_db"] == pytest.approx(-20 * math.log10(b - a), abs=1e-9)
    ssim = (2 * a * b + 1e-4) / (a**2 + b**2 + 1e-4)
    assert scored["ssim"] == pytest.approx(ssim, abs=1e-9)


@pytest.mark.parametrize("name", metrics.PROTOCOLS)
def test_one_wrong_green_scores_as_computed_by_hand(name):
    x = np.full((13, 12, 3), 0.4)
    x_hat = x.copy()
    x_hat[3, 4, 1] = 0.6
    error = 0.2**2 / x.size
    if name == "luma":
        error = (0.2 * 128.553 / 255) ** 2 / (13 * 12)
    scored = score(x_hat, x, name)
    assert scored["psnr_db"] == pytest.approx(-10 * math.log10(error), abs=1e-9)


def test_psnr_takes_one_error_over_all_channels(pair):
    x_hat, x = pair
    channels = [metrics.psnr(x_hat[..., c], x[..., c]) for c in range(3)]
    pooled = -10 * math.log10(np.mean([10 ** (-db / 10) for db in channels]))
    assert metrics.psnr(x_hat, x) == pytest.approx(pooled, abs=1e-9)
    assert np.mean(channels) > pooled + 1


def test_psnr_sums_float32_images_in_float64():
    # Steps of 2^-12 on 0.5: float32 squares sum to a visible error in a million.
    x = np.full((1024, 1024, 1), 0.5, np.float32)
    x_hat = x + np.float32(2**-12)
    expected = 240 * math.log10(2)
    assert metrics.psnr(x_hat, x) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("name", metrics.PROTOCOLS)
def test_equal_images(pair, name):
    scored = score(pair[1], pair[1], name)
    assert scored["psnr_db"] == math.inf
    assert scored["ssim"] == pytest.approx(1)
    assert scored["protocol"] == name


def test_only_the_eight_bit_protocols_round():
    x = np.full((12, 12, 3), 100 / 255)
    x_hat = x + 0.4 / 255
    assert score(x_hat, x, "skimage")["psnr_db"] == math.inf
    assert score(x_hat, x, "gauss2d")["psnr_db"] == math.inf
    expected = -20 * math.log10(0.4 / 255)
    scored = score(x_hat, x, "sidd-matlab3d")
    assert scored["psnr_db"] == pytest.approx(expected, abs=1e-6)


def test_estimates_are_clipped_and_rounded_not_truncated():
    x = np.full((12, 12, 3), 1.0)
    assert score(x + 0.3, x, "sidd-matlab3d")["psnr_db"] == math.inf
    one_step = score(x - 0.6 / 255, x, "gauss2d")["psnr_db"]
    assert one_step == pytest.approx(20 * math.log10(255), abs=1e-9)
    assert score(x - 0.4 / 255, x, "gauss2d")["psnr_db"] == math.inf


@pytest.mark.parametrize(
    ("name", "prepare", "options"),
    [
        ("gauss2d", eight_bits, GAUSSIAN | {"use_sample_covariance": False}),
        ("skimage", eight_bits, {"win_size": 7}),
        ("luma", lambda image: rgb2ycbcr(eight_bits(image))[..., :1], GAUSSIAN),
    ],
)
def test_flat_ssim_is_that_of_scikit_image(pair, name, prepare, options):
    direct = structural_similarity(
        *map(prepare, pair), channel_axis=2, data_range=255, **options
    )
    assert score(*pair, name)["ssim"] == pytest.approx(direct, abs=1e-9)


def slow_ssim(x_hat, x):
    """SSIM of a volume by its formula (Wang et al. 2004), with the full 3-D window."""
    axis = np.arange(-5, 6)
    squares = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    window = np.exp(-squares / (2 * 1.5**2))
    window /= window.sum()

    def local_mean(volume):
        return ndimage.correlate(volume, window, mode="nearest")

    a, b = (np.clip(image.astype(np.float64), 0, 1) for image in (x_hat, x))
    mean_a, mean_b = local_mean(a), local_mean(b)
    var_a = local_mean(a * a) - mean_a**2
    var_b = local_mean(b * b) - mean_b**2
    covariance = local_mean(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 0.01**2) * (2 * covariance + 0.03**2)
    bottom = (mean_a**2 + mean_b**2 + 0.01**2) * (var_a + var_b + 0.03**2)
    return (top / bottom).mean()


@pytest.mark.parametrize("channels", [1, 3])
def test_volume_ssim_is_the_formula(pair, channels):
    x_hat, x = (image[..., :channels] for image in pair)
    scored = score(x_hat, x, "sidd-matlab3d")
    assert scored["ssim"] == pytest.approx(slow_ssim(x_hat, x), abs=1e-9)


@pytest.mark.parametrize(
    ("sigma", "psnr_db", "volume", "flat"),
    [(3 / 255, 38.9, 0.955, 0.928), (5 / 255, 34.5, 0.898, 0.839)],
)
def test_a_photograph_scores_as_measured_elsewhere(sigma, psnr_db, volume, flat):
    # shared/reference/failure_modes.md, E1: another program's numbers, its own noise.
    x = (data.astronaut() / 255).astype(np.float32)
    n = np.random.default_rng(0).normal(0, sigma, x.shape).astype(np.float32)
    by_volume = score(x + n, x, "sidd-matlab3d")
    assert by_volume["psnr_db"] == pytest.approx(psnr_db, abs=0.06)
    assert by_volume["ssim"] == pytest.approx(volume, abs=0.002)
    by_channel = score(x + n, x, "gauss2d")
    assert by_channel["ssim"] == pytest.approx(flat, abs=0.002)


@pytest.mark.parametrize("name", metrics.PROTOCOLS)
def test_scoring_leaves_the_images_alone(pair, name):
    copies = [image.copy() for image in pair]
    score(*pair, name)
    np.testing.assert_array_equal(pair, copies)


def test_several_protocols_give_what_one_gives(pair):
    alone = [score(*pair, name) for name in metrics.PROTOCOLS]
    assert metrics.scores(*pair, metrics.PROTOCOLS) == alone


def test_unknown_protocol_names_those_offered(pair):
    with pytest.raises(MidError, match=r"'ssim'.*sidd-matlab3d, gauss2d, skimage"):
        score(*pair, "ssim")


@pytest.mark.parametrize(("name", "side"), [("gauss2d", 10), ("skimage", 6)])
def test_small_images_are_refused_at_the_window(name, side):
    x = np.zeros((40, side, 3))
    with pytest.raises(MidError, match=f"40 x {side}.*{side + 1}"):
        score(x, x, name)
    wide_enough = np.zeros((side + 1, side + 1, 3))
    assert score(wide_enough, wide_enough, name)["ssim"] == pytest.approx(1)


def test_wrong_inputs_are_refused(pair):
    x_hat, x = pair
    wrong = {
        r"\(52, 31, 3\).*\(53, 31, 3\)": (x_hat[1:], x),
        "clean image spans": (x_hat, x * 255),
        "uint8": (eight_bits(x_hat), x),
        "estimate.*NaN": (np.where(x > 0.8, np.nan, x_hat), x),
        r"\(H, W, 1\)": (x_hat[..., 0], x[..., 0]),
    }
    for reason, images in wrong.items():
        with pytest.raises(MidError, match=reason):
            score(*images, "gauss2d")
    with pytest.raises(MidError, match="one shape"):
        metrics.psnr(x_hat[:, :1], x)
