"""Images through ``mid denoise``: they keep their size, dtype and mode.

Reading and writing without a network are tested in tests/images.
"""

import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
from PIL import Image, ImageOps

from mid_core.checkpoints.model_file import save_model
from mid_core.commands.cli import main
from mid_core.commands.denoise_files import denoise_files
from mid_core.ensemble import denoise
from mid_core.errors import MidError
from mid_core.images.picture import to_dtype, to_float
from mid_core.masking import Masking, image_seed
from mid_core.methods import denoise_without_training
from mid_core.networks import build
from tests.conftest import CARD
from tests.pictures import (
    HEIGHT,
    WIDTH,
    independent_read,
    noise,
    save_pages,
    save_pillow,
    save_png16,
    save_tiff,
    save_turned,
)

PALETTE = Image.fromarray(noise(3)).quantize(32)
STACK = np.stack([noise(1, "uint16"), noise(1, "uint16")[::-1], noise(1, "uint16")])

DNCNN = {"name": "dncnn", "width": 4, "depth": 3, "norm": "none"}
# Below the pictures' sizes, so that each takes several bands.
TILE_PX = 16


def saved(save, samples):
    def run(path):
        save(path, samples)
        return samples

    return run


def turned(path):
    save_turned(path, noise(3), 6, quality=95)
    return np.asarray(ImageOps.exif_transpose(Image.open(path)))


def palette(path):
    PALETTE.save(path)
    return np.asarray(PALETTE.convert("RGB"))


# Each makes a file, and gives its samples upright, as another program sees them.
MODES = {
    "grey.png": saved(save_pillow, noise(1)),
    "grey16.png": saved(save_png16, noise(1, "uint16")),
    "rgb.png": saved(save_pillow, noise(3)),
    "rgb16.png": saved(save_png16, noise(3, "uint16")),
    "alpha.png": saved(save_pillow, noise(4)),
    "palette.png": palette,
    "turned.jpg": turned,
    "float_grey.tif": saved(save_tiff, noise(1, "float32")),
    "float_rgb.tif": saved(save_tiff, noise(3, "float32")),
    "stack.tif": saved(save_pages, STACK),
}


def as_colour(samples):
    return np.atleast_3d(samples)[..., :3]


@pytest.fixture
def network():
    return build(DNCNN)


@pytest.fixture
def model(tmp_path, network):
    path = tmp_path / "model.safetensors"
    save_model(path, network, CARD | {"network": DNCNN})
    return path


def answer(network, samples, name):
    """Denoise samples by the network alone, and store the answer as they are stored."""
    rgb = np.broadcast_to(to_float(as_colour(samples)), (*samples.shape[:2], 3))
    seed = image_seed(0, "denoise", name)
    y = np.ascontiguousarray(rgb)
    (x_hat,) = denoise(network, y, Masking(0.3), seed, (2,), TILE_PX)
    if samples.ndim == 2:
        x_hat = x_hat.mean(2, np.float64)
    return to_dtype(x_hat, samples.dtype)


@pytest.mark.parametrize("name", MODES)
def test_denoise_gives_back_the_mode_it_was_given(tmp_path, name, model, network):
    (tmp_path / "in").mkdir()
    samples = MODES[name](tmp_path / "in" / name)
    denoise_files(
        tmp_path / "in" / name, tmp_path / "out", model, num_masks=2, tile=TILE_PX
    )
    after = independent_read(tmp_path / "out" / name)
    assert (after.shape, after.dtype) == (samples.shape, samples.dtype)
    if name == "stack.tif":
        for page, (before, result) in enumerate(zip(samples, after, strict=True)):
            expected = answer(network, before, f"stack.tif#{page:03d}")
            np.testing.assert_array_equal(result, expected)
    elif name == "turned.jpg":
        assert after.shape == (WIDTH, HEIGHT, 3)
    else:
        expected = as_colour(answer(network, samples, name))
        np.testing.assert_array_equal(as_colour(after), expected)
    if name == "alpha.png":
        np.testing.assert_array_equal(after[..., 3], samples[..., 3])


def linked(tmp_path):
    (tmp_path / "sel").mkdir()
    (tmp_path / "sel/a.png").symlink_to("../orig/a.png")
    return tmp_path / "sel", tmp_path / "orig"


def hard_linked(tmp_path):
    (tmp_path / "sel").mkdir()
    (tmp_path / "sel/b.png").hardlink_to(tmp_path / "orig/a.png")
    return tmp_path / "orig", tmp_path / "sel"


def itself(tmp_path):
    return tmp_path / "orig", tmp_path / "orig/../orig"


def file_itself(tmp_path):
    return tmp_path / "orig/a.png", tmp_path / "orig"


def the_model(tmp_path):
    (tmp_path / "m.png").hardlink_to(tmp_path / "model.safetensors")
    return tmp_path / "orig/a.png", tmp_path / "m.png"


@pytest.mark.parametrize("case", [linked, hard_linked, itself, file_itself, the_model])
def test_nothing_that_is_read_is_overwritten(tmp_path, model, case):
    (tmp_path / "orig").mkdir()
    # The first one could be written, and must not be.
    for name in ("a.png", "b.png"):
        save_pillow(tmp_path / "orig" / name, noise(3))
    source, target = case(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(MidError, match="itself, which is read: name another place"):
        denoise_files(source, target, model)
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}


def test_two_images_are_not_written_into_one_file(tmp_path, model):
    for name in ("a.png", "b.png"):
        (tmp_path / "in").mkdir(exist_ok=True)
        save_pillow(tmp_path / "in" / name, noise(3))
    (tmp_path / "out").mkdir()
    # As A.png and a.png are, where the disk does not tell them apart.
    (tmp_path / "out/b.png").symlink_to("a.png")
    with pytest.raises(MidError, match=r"b\.png and .*a\.png would both be .*b\.png"):
        denoise_files(tmp_path / "in", tmp_path / "out", model)


@pytest.mark.parametrize("target", ["a.png/sub/", "in"])
def test_places_that_cannot_be_written_are_refused_before_the_work(
    tmp_path, model, target, monkeypatch
):
    (tmp_path / "in/a.png").mkdir(parents=True)
    save_pillow(tmp_path / "a.png", noise(3))
    monkeypatch.setattr("mid_core.commands.denoise_files.header", None)
    with pytest.raises((MidError, NotADirectoryError), match=r"a\.png"):
        denoise_files(tmp_path / "a.png", tmp_path / target, model)


def test_a_name_that_only_looks_the_same_is_shown(tmp_path, model):
    save_pillow(tmp_path / "e\u0301te\u0301.png", noise(3))
    with pytest.raises(MidError, match=r"'e\\u0301te\\u0301.png' only looks the same"):
        denoise_files(tmp_path / "\u00e9t\u00e9.png", tmp_path / "out", model)


@pytest.mark.parametrize("metadata", [True, False])
def test_exif_is_kept_unless_asked_otherwise_and_losses_are_said(
    tmp_path, model, metadata, caplog
):
    caplog.set_level("INFO")
    exif = Image.Exif()
    exif[0x110], exif[0x8769] = "EOS R5", {0xA001: 2}  # Adobe RGB
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
    save_pillow(tmp_path / "a.jpg", noise(3), exif=exif, xmp=xmp)
    denoise_files(tmp_path / "a.jpg", tmp_path / "b.jpg", model, metadata=metadata)
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.getexif().get(0x110) == ("EOS R5" if metadata else None)
        assert b"Adobe RGB" in image.info["icc_profile"]
    assert ("not kept: XMP, as in" in caplog.text) == metadata


def test_denoising_a_photo_loads_neither_stores_nor_workflow(tmp_path, model):
    save_pillow(tmp_path / "a.jpg", noise(3))
    code = "import sys; from mid_core.commands.cli import main; main(); "
    code += "print(*sys.modules)"
    command = ["denoise", "a.jpg", "out", "--model", str(model)]
    run = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out/a.jpg").is_file()
    loaded = set(run.stdout.split())
    assert not loaded & {"zarr", "filelock", "psutil", "snakemake", "numba", "scipy"}


@pytest.mark.parametrize("name", ["grey.png", "rgb16.png", "alpha.png", "stack.tif"])
def test_a_method_without_training_needs_no_model(name, tmp_path):
    samples = MODES[name](tmp_path / name)
    denoise_files(tmp_path / name, tmp_path / "out", None, method="nlm")
    answer = independent_read(tmp_path / "out" / name)
    assert (answer.shape, answer.dtype) == (samples.shape, samples.dtype)
    page, first = (one[0] if name == "stack.tif" else one for one in (answer, samples))
    expected = denoise_without_training(
        "nlm", {"level": "seen"}, to_float(as_colour(first))
    )
    np.testing.assert_array_equal(as_colour(page), to_dtype(expected, samples.dtype))


def test_a_method_is_named_instead_of_a_model(tmp_path, monkeypatch, capsys):
    save_pillow(tmp_path / "a.png", noise(3))
    monkeypatch.chdir(tmp_path)
    command = ["mid", "denoise", "a.png", "b.png", "--method"]
    for name, status in (("at_bsn", 2), ("nlm", 0)):
        monkeypatch.setattr("sys.argv", [*command, name])
        with nullcontext() if status == 0 else pytest.raises(SystemExit):
            main()
    assert "at_bsn is no method without training: nlm, twsc" in capsys.readouterr().err
    assert independent_read(tmp_path / "b.png").std() < noise(3).std()
