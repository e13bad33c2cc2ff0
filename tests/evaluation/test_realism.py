import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from mid_core.errors import MidError
from mid_core.evaluation import divergence
from mid_core.evaluation import realism as module
from mid_core.evaluation.realism import MEASURES, draw, realism, spread_levels, strips


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "PATCHES", 6000)
    monkeypatch.setattr(divergence, "STEPS", 20)


def fields(rng, make, shapes=((97, 131), (61, 259), (150, 83))):
    return [make(rng.standard_normal((*shape, 3))) for shape in shapes]


def smooth(white):
    """Make noise of 12 grey levels whose neighbours are alike."""
    filtered = uniform_filter(white, (3, 3, 0))
    return 12 / 255 * filtered / filtered.std()


def flat(bank):
    return [np.full(field.shape, 0.5) for field in bank]


@pytest.mark.parametrize("width", [8, 63, 131, 511, 700])
def test_halves_share_the_middle_without_a_common_pixel(width):
    field = np.arange(9 * width).reshape(9, width, 1)
    one, other = (np.concatenate(strips(field, side), 1).ravel() for side in (0, 1))
    assert not set(one) & set(other)
    assert len(one) + len(other) == 9 * min(width, 512)
    assert abs(len(one) - len(other)) <= 9 * 8


def test_too_small_a_field_says_so():
    with pytest.raises(MidError, match="7 x 30 pixels is too small"):
        strips(np.zeros((7, 30, 1)), 0)


def test_patches_are_neighbouring_pixels(rng):
    height, width = 11, 13
    rows, columns = np.mgrid[:height, :width]
    piece = np.stack([rows, columns, rows * width + columns], axis=2)
    patches = draw([piece, piece + 200], 500, rng)
    assert patches.shape == (500, 9, 3)
    assert (patches[:250] < 200).all()
    assert (patches[250:] >= 200).all()
    steps = patches - patches[:, :1]
    np.testing.assert_array_equal(steps[:, :, 0], [[0, 0, 0, 1, 1, 1, 2, 2, 2]] * 500)
    np.testing.assert_array_equal(steps[:, :, 1], [[0, 1, 2] * 3] * 500)
    # Every place is drawn.
    assert len(np.unique(patches[:250, 0, 2])) > 0.8 * (height - 2) * (width - 2)


def test_rounded_and_continuous_noise_look_alike(rng):
    noise = rng.normal(0, 1.5 / 255, (20_000, 1))
    rounded = np.round(255 * noise) / 255
    p, q = spread_levels(noise, rng), spread_levels(rounded, rng)
    np.testing.assert_array_equal(np.round(p), np.round(q))
    assert len(np.unique(p)) == len(p)
    # Uniform within a level.
    assert (p - np.round(p)).std() == pytest.approx(12**-0.5, abs=0.01)


def test_equal_distributions_score_about_the_floor(rng, monkeypatch):
    monkeypatch.setattr(divergence, "STEPS", 200)
    truth, bank = fields(rng, smooth), fields(rng, smooth)
    same = realism(bank, truth, flat(truth), rng, flat(bank))
    floor = realism(truth, truth, flat(truth), rng, flat(truth))
    white = realism(fields(rng, lambda n: 12 / 255 * n), truth, flat(truth), rng)
    limits = [0.02, 0.2, 0.03, 0.04, 0.5]
    for measure, limit in zip(MEASURES, limits, strict=True):
        assert abs(same[measure]) < limit, measure
        assert abs(floor[measure]) < limit, measure
    assert white["patch_kl_nats"] > 1
    assert white["autocorrelation"] > 0.1


def test_autocorrelation_of_a_known_filter(rng):
    truth = fields(rng, smooth)
    bank = [n.astype(np.float16) for n in fields(rng, lambda n: n / 20)]
    found = realism(bank, truth, flat(truth), rng)
    # A moving mean of 3 x 3 has 2/3, 1/3, 0 along each axis: the 48 sum to 9 - 1.
    assert found["autocorrelation"] == pytest.approx(8 / 48, abs=0.01)


def test_noise_that_depends_on_the_image_is_told_from_noise_that_does_not(rng):
    image = np.linspace(0, 1, 257)[:, None, None] * np.ones((1, 129, 3))
    truth = [rng.standard_normal(image.shape) * (5 + 20 * image) / 255]
    # The same spread everywhere: the root of the mean of (5 + 20 x)^2 is 16.07.
    bank = [rng.standard_normal((33, 41, 3)) * 16.07 / 255 for _ in range(40)]
    found = realism(bank, truth, [image], rng)
    # The mean of |5 + 20 x - 16.07|.
    assert found["brightness_std_levels"] == pytest.approx(5.06, abs=0.4)
    same = realism(truth, truth, [image], rng, [image])
    assert same["brightness_std_levels"] < 0.5
    # Bright and dark exchanged: half of 20 levels.
    turned = realism([truth[0][::-1]], truth, [image], rng, [image])
    assert turned["brightness_std_levels"] == pytest.approx(10, abs=0.5)


def test_only_the_brightness_that_both_have_is_compared(rng):
    dark, all_of_it = np.full((40, 50, 1), 0.1), np.full((40, 50, 1), 0.1)
    all_of_it[20:] = 0.9
    truth = [rng.standard_normal(dark.shape) * np.where(all_of_it > 0.5, 50, 5) / 255]
    bank = [rng.standard_normal(dark.shape) * 8 / 255]
    found = realism(bank, truth, [all_of_it], rng, [dark])
    assert found["brightness_std_levels"] == pytest.approx(3, abs=0.5)


def test_colours_that_share_their_noise(rng):
    truth = fields(rng, lambda n: (n + n[..., :1].repeat(3, 2)[..., ::-1]) / 20)
    white = fields(rng, lambda n: n / 20)
    found = realism(white, truth, flat(truth), rng)
    common = fields(rng, lambda n: n[..., :1].repeat(3, axis=2) / 20)
    alike = realism(common, truth, flat(truth), rng)
    # By hand: the first colour is twice what the others share: 2 / sqrt(4 * 2), 1 / 2.
    expected = (2 * 0.7071 + 0.5) / 3
    assert found["colour_correlation"] == pytest.approx(expected, abs=0.03)
    assert alike["colour_correlation"] == pytest.approx(1 - expected, abs=0.03)


def test_each_colour_has_its_own_marginal(rng):
    truth = fields(rng, lambda n: n / 20)
    bank = fields(rng, lambda n: n / 20 * [1, 1, 1.5])
    found = realism(bank, truth, flat(truth), rng)
    own = [found[f"marginal_kl_nats_{c}"] for c in range(3)]
    # By hand: (1 / 1.5^2 - 1 + 2 ln 1.5) / 2.
    np.testing.assert_allclose(own, [0, 0, 0.1277], atol=0.02)
    assert found["marginal_kl_nats"] == pytest.approx(np.mean(own))


def test_grey_noise_and_equal_seeds(rng):
    truth = [rng.standard_normal((41, 53, 1)) / 20 for _ in range(3)]
    first, second = (
        realism(truth, truth, flat(truth), np.random.default_rng(3)) for _ in range(2)
    )
    assert first == second
    assert first["colour_correlation"] == 0
    assert set(first) == {*MEASURES, "marginal_kl_nats_0"}


def test_constant_noise_is_far_from_everything_and_no_error(rng, monkeypatch):
    monkeypatch.setattr(divergence, "STEPS", 100)
    truth = fields(rng, smooth)
    found = realism([np.zeros((9, 9, 3))], truth, flat(truth), rng)
    assert found["patch_kl_nats"] > 4
    assert found["marginal_kl_nats"] > 2
    assert found["brightness_std_levels"] == pytest.approx(12, abs=0.3)


def test_other_colours_say_so(rng):
    truth = fields(rng, smooth)
    with pytest.raises(MidError, match=r"1 colour\(s\) but the true noise 3"):
        realism([np.zeros((9, 9, 1))], truth, flat(truth), rng)
