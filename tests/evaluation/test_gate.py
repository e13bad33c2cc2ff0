"""Noise passes the gate; edges, zeros and clipped noise do not."""

import shutil

import imageio.v3 as iio
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, sobel

from mid_config.loading import load_config
from mid_core.datasets import camera
from mid_core.errors import MidError
from mid_core.evaluation.gate import check_bank, measure
from mid_core.evaluation.noise_statistics import Statistics
from mid_core.images.picture import to_float
from tests.conftest import ROOT
from tests.running import changed, jobs_of, snakemake


def limits_of(config):
    return load_config([ROOT / "config" / config], {})["method"]["gate"]


LIMITS = limits_of("sidd.yaml")
OTHER = "true_noise/round_0"


def statistics(fields):
    bank = Statistics()
    for noise, image in fields:
        bank.add(noise.astype(np.float16), image)
    return bank.summary()


def check(fields, limits=LIMITS):
    return check_bank(statistics(fields), limits, "noise.zarr", "Round 1 of 'mid'")


@pytest.fixture
def pictures(rng):
    """Flat shapes in front of each other, of odd sizes, and white noise on them."""
    pairs = []
    for height, width in ((131, 97), (64, 173)):
        image = np.full((height, width, 3), 0.5)
        for _ in range(9):
            top, left = rng.integers(height), rng.integers(width)
            image[top : top + 40, left : left + 30] = rng.uniform(0.25, 0.75, 3)
        pairs.append((rng.normal(0, 0.05, image.shape), image))
    return pairs


def test_the_demos_limits_are_the_defaults():
    assert limits_of("config.yaml") == LIMITS


def test_noise_that_follows_brightness_passes(pictures):
    found = check((noise * (0.2 + 2 * x), x) for noise, x in pictures)
    assert found["leakage"] < 0.01
    assert found["std"] == pytest.approx(255 * 0.05 * 1.2, rel=0.15)


def test_true_noise_of_real_pairs_passes(shared):
    names = [path.name for path in (shared / "sidd_samples").glob("GT_*.png")]
    assert len(names) == 12
    pairs = []
    for name in names:
        truth = to_float(iio.imread(shared / "sidd_samples" / name))
        noisy = shared / "sidd_samples" / name.replace("GT", "NOISY")
        pairs.append((to_float(iio.imread(noisy)) - truth, truth))
    found = check(pairs)
    # Standard deviation and black pixels: docs/measurements/camera_noise.csv.
    assert found["std"] == pytest.approx(20, abs=3)
    assert found["clipped"] == pytest.approx(0.095, abs=0.01)


def test_true_noise_of_the_simulated_camera_passes():
    settings = {"reader": "camera", "part": "noisy", "shots": 1, "seed": 0}
    pairs = []
    for item in camera.find(settings).items:
        image, truth = (
            to_float(camera.read(item, stack, settings)) for stack in ("image", "truth")
        )
        pairs.append((image - truth, truth))
    check(pairs)


def edges(noise, image):
    return np.hypot(sobel(image, axis=0), sobel(image, axis=1)) / 8


def detail(noise, image):
    return image - gaussian_filter(image, (2, 2, 0))


BAD = {
    "edges": (edges, "leakage"),
    "fine detail": (detail, "kurtosis"),
    "the image": (lambda noise, image: 0.3 * (image - image.mean()), "leakage"),
    "zeros": (lambda noise, image: 0 * noise, "zeros"),
    "a constant": (lambda noise, image: 0 * noise + 0.01, "pinned"),
    "clipped": (lambda noise, image: noise.clip(-0.1, 0.1), "pinned"),
    "half of it": (lambda noise, image: noise.clip(0, None), "pinned"),
    "black": (lambda noise, image: np.maximum(noise - 0.5, -image), "clipped"),
    "shifted": (lambda noise, image: noise + np.array([0.1, 0, 0]), "mean"),
    "far too strong": (lambda noise, image: 10 * noise, "std"),
    "nearly none": (lambda noise, image: noise / 100, "std"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_not_noise_does_not_pass(pictures, kind):
    damage, symptom = BAD[kind]
    with pytest.raises(MidError, match=rf"\n  {symptom} [\d.e-]+ is (above|below) "):
        check((damage(noise, image), image) for noise, image in pictures)


def test_a_bank_that_the_network_spoilt_by_nan_does_not_pass(pictures):
    pictures[1][0][5, 7, 1] = np.nan
    with pytest.raises(MidError, match=r"not_finite .* is above 0 "):
        check(pictures)


def test_the_message_says_what_how_much_and_what_to_do(pictures):
    bank = statistics((edges(*pair) + pair[0] / 9, pair[1]) for pair in pictures)
    with pytest.raises(MidError) as error:
        check_bank(bank, LIMITS, "runs/noise.zarr", "Round 1 of 'mid'")
    said = str(error.value)
    assert said.startswith("Round 1 of 'mid' does not start: runs/noise.zarr ")
    leaked = measure(bank)["leakage"]
    assert f"leakage {leaked:.4g} is above 0.2 (share that brightness and" in said
    for hint in ("mid inspect runs/noise.zarr", "more iterations", "method.gate"):
        assert hint in said
    # A limit that is raised lets it pass.
    assert check_bank(bank, LIMITS | {"leakage": 1, "kurtosis": 99}, "", "")


@pytest.mark.slow
def test_a_bad_bank_stops_its_round_alone_and_a_limit_reruns_no_training(copied):
    # Four steps of training find no noise, and what they leave is no bank.
    folders = [copied / f"results/tiny/{one}" for one in ("mid/round_1", OTHER)]
    models = [str((one / "model.json").relative_to(copied)) for one in folders]
    for folder in folders:
        shutil.rmtree(folder / "training")
        for name in ("model.json", "model.safetensors", "history.csv"):
            (folder / name).unlink()

    def run(gate, *options):
        return snakemake(copied, changed(gate=gate), *options, "--", *models)

    refused = run({}, "--keep-going")
    said = refused.stdout + refused.stderr
    assert refused.returncode == 1
    assert "Round 1 of 'mid' does not start: results/tiny/mid/round_1/noise" in said
    assert "Traceback" not in said
    assert (copied / "results/tiny/mid/round_0/model.json").is_file()
    assert not list(folders[0].glob("[gm]*.*"))
    assert (folders[1] / "model.json").is_file()
    gate = {"mean": 255, "std": [0, 255], "leakage": 1, "kurtosis": 999}
    # A limit is no reason to train again.
    assert jobs_of(run(gate, "--dry-run")) == {"train_round": 1}
    passed = run(gate)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert jobs_of(run(gate | {"mean": 254}, "--dry-run")) == {}
