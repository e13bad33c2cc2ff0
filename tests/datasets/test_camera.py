import importlib.util

import numpy as np
import pytest

from mid_core.datasets import bayer, camera
from mid_core.errors import MidError
from tests.conftest import ROOT, SHARED

SAMPLES = SHARED / "sidd_samples"

# statistic: (SIDD's value, how far the simulated camera may be from it). The values are
# the means over the 12 pairs of SIDD samples, made by benchmarks/camera_noise.py on the
# whole images and written to docs/measurements/camera_noise.csv, column "real". The
# tolerances allow for the draw of five photos' noise levels by two seeds (spread and
# mean), and for what is left of the misfit (red_blue).
EXPECTED = {
    "std": (20.06, 4.0),
    "std_red": (21.02, 4.0),
    "std_green": (15.32, 4.0),
    "std_blue": (22.87, 4.0),
    "mean": (-3.50, 1.2),
    "lag_1": (0.461, 0.04),
    "lag_1_1": (0.284, 0.04),
    "lag_2": (0.074, 0.04),
    "red_green": (0.234, 0.08),
    "green_blue": (0.232, 0.08),
    "red_blue": (0.488, 0.14),
    "black_share": (0.095, 0.06),
    "brightness": (59.58, 12.0),
    "detail": (3.10, 0.8),
}
SEEDS = (0, 1)
COINS = {"name": "coins", "photo": "coins"}
IHC = {"name": "ihc", "photo": "ihc"}
# Made by this version of the code (see the test that uses them).
GOLDEN_MEAN = (164.56, 97.12, 174.15)
GOLDEN_DRAW = (0.10271665, 0.0040616515, 0.00012184955)
DUSK = 0.05  # linear light that keeps highlights unclipped


@pytest.fixture(scope="module")
def benchmark():
    path = ROOT / "benchmarks/camera_noise.py"
    spec = importlib.util.spec_from_file_location("camera_noise", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def simulated(benchmark):
    rows = [row for seed in SEEDS for row in benchmark.simulated(seed)]
    return benchmark.average(rows)


@pytest.fixture(scope="module")
def real(benchmark):
    if not SAMPLES.is_dir():
        pytest.skip(f"the real pairs of SIDD are not at {SAMPLES}")
    return benchmark.average(benchmark.real(SAMPLES))


def _settings(part, seed=0):
    return {"reader": "camera", "part": part, "seed": seed, "shots": 1}


@pytest.mark.parametrize("statistic", EXPECTED)
def test_noise_is_like_stored_numbers_of_sidd(statistic, simulated):
    value, tolerance = EXPECTED[statistic]
    assert simulated[statistic] == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize("statistic", EXPECTED)
def test_stored_numbers_are_those_of_the_samples(statistic, real):
    assert EXPECTED[statistic][0] == pytest.approx(real[statistic], abs=0.006)


def test_parts_share_no_photo():
    names = [name for part in camera.PARTS.values() for name in part]
    scenes = [name.removesuffix("_left").removesuffix("_right") for name in names]
    assert len(set(scenes)) == len(scenes)
    smallest = {"clean": 4, "noisy": 3, "test": 2}
    assert all(len(camera.PARTS[part]) >= n for part, n in smallest.items())


@pytest.mark.parametrize("part", ["clean", "noisy", "test"])
def test_every_photo_is_installed_and_in_colour(part):
    for name in camera.PARTS[part]:
        pixels = camera.photo(name)
        assert pixels.dtype == np.float32
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        assert pixels.min() >= 0
        assert 0.5 < pixels.max() <= 1


def test_same_seed_same_bytes_and_another_seed_another_noise():
    def pair(settings):
        return [camera.read(COINS, stack, settings) for stack in ("image", "truth")]

    first, truth = pair(_settings("noisy", 3))
    # The order is of no matter.
    camera.read({"name": "chelsea", "photo": "chelsea"}, "image", _settings("test", 3))
    again, truth_again = pair(_settings("noisy", 3))
    other, _ = pair(_settings("noisy", 4))
    assert first.tobytes() == again.tobytes()
    assert truth.tobytes() == truth_again.tobytes()
    assert first.shape == other.shape
    assert (first != other).mean() > 0.5


def test_numbers_are_those_of_this_version():
    # Raise the version of `ingest` where these numbers have to change.
    raw = np.linspace(0, 0.4, 64 * 64, dtype=np.float32).reshape(64, 64)
    mean = camera.develop(camera.mean_exposure(raw, 0.01, 0.001)).mean((0, 1))
    np.testing.assert_allclose(mean, GOLDEN_MEAN, atol=0.02)
    drawn = camera.draw(camera.generator("coins", 0))
    np.testing.assert_allclose(drawn, GOLDEN_DRAW, rtol=1e-6)


def test_photos_differ_in_noise_level_within_the_stated_ranges():
    names = [name for part in camera.PARTS.values() for name in part]
    shots = [camera.draw(camera.generator(name, 0)) for name in names]
    assert len({taken.shot for taken in shots}) == len(names)
    for taken in shots:
        assert camera.SHOT_RANGE[0] <= taken.shot <= camera.SHOT_RANGE[1]
        assert camera.LIGHT_RANGE[0] <= taken.light <= camera.LIGHT_RANGE[1]


@pytest.mark.parametrize("part", ["noisy", "test"])
def test_image_and_truth_are_alike_in_shape_and_type(part):
    item = camera.find(_settings(part)).items[0]
    image, truth = (camera.read(item, s, _settings(part)) for s in ("image", "truth"))
    height, width, _ = camera.photo(item["photo"]).shape
    assert image.shape == truth.shape == (3 * height, 3 * width, 3)
    assert image.dtype == truth.dtype == np.uint8


def test_a_clean_photo_has_no_truth():
    assert all("truth" not in i for i in camera.find(_settings("clean")).items)
    assert camera.read(IHC, "image", _settings("clean")).dtype == np.uint8


def test_more_shots_of_a_photo_have_their_own_light_and_noise():
    settings = _settings("test") | {"shots": 3}
    found = camera.find(settings).items
    assert [item["name"] for item in found[:4]] == [
        *("chelsea", "chelsea_2", "chelsea_3"),
        "motorcycle_left",
    ]
    assert [item["photo"] for item in found[:3]] == 3 * ["chelsea"]
    images = [camera.read(item, "image", settings) for item in found[:2]]
    assert (images[0] != images[1]).mean() > 0.5


def test_development_of_an_unprocessed_photo_gives_it_back_but_for_blur():
    photo = camera.photo("chelsea")
    developed = camera.develop(bayer.mosaic(camera.enlarge(camera.unprocess(photo))))
    height, width, _ = photo.shape
    small = developed.reshape(height, 3, width, 3, 3).mean((1, 3))
    difference = small - photo * 255
    assert np.abs(difference.mean((0, 1))).max() < 0.5
    assert np.sqrt((difference**2).mean()) < 4


def test_development_of_a_plain_colour_gives_it_back():
    colours = np.array([[0.5, 0.5, 0.5], [0.6, 0.4, 0.3], [0.2, 0.3, 0.4], [1, 1, 1]])
    for colour in colours.astype(np.float32):
        photo = np.broadcast_to(colour, (8, 8, 3))
        raw = bayer.mosaic(camera.enlarge(camera.unprocess(photo)))
        assert np.abs(camera.develop(raw) - colour * 255).max() <= 0.51


def test_the_exposure_sets_the_mean_light():
    photo = camera.photo("coins") * 0.5
    bright = camera.unprocess(photo, 0.04) * camera.GAINS @ camera.MATRIX.T
    assert bright.mean() == pytest.approx(0.04, rel=1e-3)


def test_demosaicking_of_a_constant_is_exact():
    colour = np.array([0.7, 0.2, 0.4], np.float32)
    scene = np.broadcast_to(colour, (12, 14, 3))
    flat = bayer.demosaic(np.full((12, 14), 0.3, np.float32))
    np.testing.assert_allclose(flat, 0.3, atol=1e-6)
    coloured = bayer.demosaic(bayer.mosaic(scene))
    # Malvar's filters of one colour's sites sum to 1, and of another's to 0.
    np.testing.assert_allclose(coloured, scene, atol=1e-6)


@pytest.mark.parametrize("shape", [(16, 20), (15, 21)])
def test_demosaicking_of_ramps_is_exact_inside_for_even_and_odd_sizes(shape):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    ramps = [0.1 + 0.02 * x, 0.2 + 0.01 * y + 0.01 * x, 0.9 - 0.03 * y]
    scene = np.stack(ramps, axis=2)
    found = bayer.demosaic(bayer.mosaic(scene))
    assert found.shape == scene.shape
    inside = (slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(found[inside], scene[inside], atol=1e-6)


def test_a_photo_of_odd_size_works():
    photo = np.random.default_rng(0).random((7, 9, 3), dtype=np.float32)
    raw = bayer.mosaic(camera.enlarge(camera.unprocess(photo, DUSK)))
    assert camera.develop(raw).shape == (21, 27, 3)
    assert camera.develop(raw[:13, :17]).shape == (13, 17, 3)


@pytest.mark.parametrize("signal", [0.0, 0.01, 0.2])
def test_many_exposures_average_to_the_mean_exposure(signal):
    raw = np.full((400, 400), signal, np.float32)
    shot, read = 0.01, 0.0005
    taken = camera.expose(raw, shot, read, np.random.default_rng(1))
    mean = camera.mean_exposure(raw, shot, read)[0, 0]
    error = taken.std() / 400
    assert taken.min() >= 0
    assert abs(taken.mean() - mean) < 4 * error
    if signal == 0.2:  # too bright to be cut: the variance is the model's
        assert taken.var() == pytest.approx(shot * signal + read, rel=0.02)


def test_an_exposure_without_noise_is_the_scene():
    raw = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(camera.expose(raw, 0, 0, rng), raw)
    np.testing.assert_array_equal(camera.mean_exposure(raw, 0, 0), raw)


def test_a_missing_package_is_a_sentence(monkeypatch):
    monkeypatch.setitem(camera._FILES, "coins", ("no_such_package", "coins.png"))
    problems = camera.find(_settings("noisy")).problems
    assert len(problems) == 1
    assert "Install that package" in problems[0]
    with pytest.raises(MidError, match="Install that package"):
        camera.photo("coins")
