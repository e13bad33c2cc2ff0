"""``mid denoise`` is careful: noise unlike the training's, and ``--strength``."""

import argparse
import logging
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import uniform_filter

from mid_core.checkpoints.model_file import save_model
from mid_core.commands import denoise as command
from mid_core.commands import unlike
from mid_core.commands.denoise_files import denoise_files
from mid_core.errors import MidError
from mid_core.networks import build
from tests.commands.test_denoise_files import DNCNN, MODES, TILE_PX
from tests.conftest import CARD, stir
from tests.pictures import independent_read, save_tiff

WHITE = {"std": [8.0, 20.0], "lag_1": 0.02}


@pytest.fixture
def save(tmp_path):
    """A model whose card says what it is told of its noise."""

    def run(**more):
        path = tmp_path / "model.safetensors"
        save_model(path, stir(build(DNCNN)), CARD | {"network": DNCNN} | more)
        return path

    return run


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [r.message for r in caplog.records if r.levelname == "WARNING"]


def grainy(path, std, correlated=False, side=(75, 131)):
    """Save a grey field with noise of this level, of 255."""
    noise = np.random.default_rng(4).normal(0, 1, (*side, 3))
    if correlated:
        noise = uniform_filter(noise, (3, 3, 0))
    path.parent.mkdir(exist_ok=True)
    pixels = 120 + std * noise / max(noise.std(), 1e-6)
    Image.fromarray(np.rint(pixels).astype(np.uint8)).save(path)


def denoised(source, target, model, **options):
    denoise_files(source, target, model, **{"num_masks": 1, "tile": TILE_PX} | options)


@pytest.mark.parametrize("name", sorted(set(MODES) - {"turned.jpg"}))
def test_strength_goes_from_the_input_to_the_answer(tmp_path, name, save):
    (tmp_path / "in").mkdir()
    samples, model = MODES[name](tmp_path / "in" / name), save()
    after = {}
    for strength in (0, 0.25, 1):
        folder = tmp_path / str(strength)
        denoised(tmp_path / "in" / name, folder / name, model, strength=strength)
        after[strength] = independent_read(folder / name)
    np.testing.assert_array_equal(after[0], samples)
    assert (after[1] != samples).any()
    # Where nothing was clipped, a quarter of the way, but for what was rounded.
    top = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
    inside = (after[1] > 0) & (after[1] < top)
    assert inside.mean() > 0.05
    before, whole = (a.astype(float) for a in (samples, after[1]))
    apart = after[0.25] - (before + 0.25 * (whole - before))
    assert np.abs(apart[inside]).max() <= (1e-6 if top == 1 else 0.7)


def test_strength_1_is_what_it_was_without_the_option(tmp_path, save):
    samples = np.random.default_rng(1).random((37, 31, 3), dtype=np.float32)
    save_tiff(tmp_path / "a.tif", samples)
    for name, options in (("b.tif", {}), ("c.tif", {"strength": 1})):
        denoised(tmp_path / "a.tif", tmp_path / name, save(), **options)
    assert (tmp_path / "b.tif").read_bytes() == (tmp_path / "c.tif").read_bytes()


def parsed(*more):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return parser.parse_args(["in", "out", "--model", "m", *more])


def test_strength_is_between_0_and_1(capsys):
    assert parsed().strength == 1
    assert parsed("--strength", "0.3").strength == 0.3
    for text in ("-0.1", "1.01", "nan", "much"):
        with pytest.raises(SystemExit):
            parsed(f"--strength={text}")
        assert "--strength" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("std", "correlated", "part"),
    [
        (12, False, None),
        (5, False, None),  # above half of the lowest
        (28, False, None),  # below one and a half of the highest
        (2, False, "of 255, lag-1 correlation 0.00)"),
        (40, False, "level 4"),
        (14, True, "lag-1 correlation 0.6"),
        (0, False, "level 0.0 of 255"),
    ],
)
def test_noise_unlike_the_trainings_is_said_with_the_numbers(
    tmp_path, save, said, std, correlated, part
):
    grainy(tmp_path / "a.png", std, correlated)
    denoised(tmp_path / "a.png", tmp_path / "b.png", save(noise_seen=WHITE))
    if part is None:
        assert not said()
        return
    (warning,) = said()
    assert warning.startswith("a.png: its noise (")
    assert part in warning
    assert "(level 8.0 to 20.0, lag 1 0.02)" in warning
    assert "--strength" in warning


def test_many_unlike_images_are_one_warning_and_their_number(tmp_path, save, said):
    for name, std in {"a": 12, "b": 1, "c": 60, "d": 15, "e": 1}.items():
        grainy(tmp_path / "in" / f"{name}.png", std)
    # Too small to see anything.
    grainy(tmp_path / "in/small.png", 60, side=(31, 47))
    denoised(tmp_path / "in", tmp_path / "out", save(noise_seen=WHITE))
    first, last = said()
    assert first.startswith("b.png: its noise")
    assert last.startswith("3 of 5 images looked at")


def test_cards_without_noise_are_silent_and_others_refused(tmp_path, save, said):
    grainy(tmp_path / "a.png", 60)
    # "noise" is the hash of the bank, in every card.
    for more in ({}, {"noise": "9b3534"}):
        denoised(tmp_path / "a.png", tmp_path / "b.png", save(**more))
    assert not said()
    for noise in (None, {"std": [1], "lag_1": 0}, {"std": [1, 2], "lag_1": "much"}):
        with pytest.raises(MidError, match=r"the card of .* says of its noise"):
            denoised(tmp_path / "a.png", tmp_path / "b.png", save(noise_seen=noise))


def test_a_training_without_noise_is_unlike_all_but_images_without():
    trained = unlike.Noise(0, 0, 0)
    assert trained.is_like(0, 0.9)
    assert not trained.is_like(3, 0)


def test_of_a_large_image_the_middle_is_looked_at_and_of_many_images_some(
    monkeypatch,
):
    seen = []
    monkeypatch.setattr(unlike, "noise_of", lambda y: seen.append(y) or (12.0, 0.0))
    watch = unlike.Watch(unlike.Noise(8, 20, 0))
    # Of 80 GB, of which no more than the middle could be read.
    huge = np.broadcast_to(np.uint8(51), (200_001, 133_333, 3))
    watch("huge.tif", huge)
    assert seen[0].shape == (512, 512, 3)
    np.testing.assert_allclose(seen[0][::100, ::100], 0.2, rtol=1e-6)
    for _ in range(2 * unlike.FIRST):
        watch("a.png", np.zeros((33, 47, 1), np.uint8))
    assert len(seen) == unlike.FIRST + unlike.FIRST // unlike.EVERY


def test_without_scipy_it_is_said_once_and_the_work_goes_on(
    tmp_path, save, said, caplog, monkeypatch
):
    monkeypatch.setitem(sys.modules, "mid_core.cameras", None)
    for name in ("a.png", "b.png"):
        grainy(tmp_path / "in" / name, 60)
    denoised(tmp_path / "in", tmp_path / "out", save(noise_seen=WHITE))
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert not said()
    assert caplog.text.count("is not looked at: that needs") == 1


def test_looking_does_not_change_the_answer(tmp_path, save):
    grainy(tmp_path / "a.png", 60)
    for name, more in (("b.png", {}), ("c.png", {"noise_seen": WHITE})):
        torch.manual_seed(0)
        denoised(tmp_path / "a.png", tmp_path / name, save(**more))
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()
