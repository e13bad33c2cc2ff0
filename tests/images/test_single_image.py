"""PNG of every kind, an orientation wherever it stands in it; JPEG without its end."""

import struct
import zlib

import numpy as np
import pytest

from mid_core.errors import MidError
from mid_core.images import files
from tests.damaged import chunk
from tests.pictures import HEIGHT, WIDTH, noise, save_pillow, save_turned

HEADER = 33


def grey_png(lines: bytes, width: int, height: int, depth: int, method: int = 0):
    """Make a PNG of filtered lines, with or without the interlace method."""
    header = struct.pack(">II5B", width, height, depth, 0, 0, 0, method)
    pixels = chunk(b"IDAT", zlib.compress(lines))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(("depth", "byte"), [(2, 0b00_01_10_11), (4, 0x5A)])
def test_greys_of_few_bits_become_eight(tmp_path, depth, byte):
    data = grey_png(bytes([0, byte] * 3), 8 // depth, 3, depth)
    (tmp_path / "a.png").write_bytes(data)
    line = {2: [0, 85, 170, 255], 4: [5 * 17, 10 * 17]}[depth]
    assert files.read(tmp_path / "a.png").samples[..., 0].tolist() == [line] * 3


def test_a_colour_that_stands_for_nothing_becomes_alpha(tmp_path):
    samples = noise(1)
    save_pillow(tmp_path / "a.png", samples, transparency=int(samples[3, 4]))
    picture = files.read(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.samples[..., 0], samples)
    expected = np.where(samples == samples[3, 4], 0, 255)
    np.testing.assert_array_equal(picture.alpha, expected)


def test_interlaced_pixels_are_put_in_order(tmp_path):
    # Adam7 (PNG 1.2, 2.6): first row and column of each pass, and their steps.
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
    passes += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    lines = b"".join(
        b"\0" + line.tobytes()
        for row, column, down, right in passes
        for line in noise(1)[row::down, column::right]
    )
    (tmp_path / "a.png").write_bytes(grey_png(lines, WIDTH, HEIGHT, 8, method=1))
    samples = files.read(tmp_path / "a.png").samples
    np.testing.assert_array_equal(samples[..., 0], noise(1))


def turned(tmp_path, turn, behind):
    """Save a picture with its EXIF before or behind the pixels."""
    save_turned(tmp_path / "a.png", noise(3), turn)
    data = (tmp_path / "a.png").read_bytes()
    at = data.index(b"eXIf") - 4
    length = 12 + struct.unpack(">I", data[at : at + 4])[0]
    exif, rest = data[at : at + length], data[:at] + data[at + length :]
    end = len(rest) - 12 if behind else HEADER
    (tmp_path / "a.png").write_bytes(rest[:end] + exif + rest[end:])


@pytest.mark.parametrize("behind", [False, True])
def test_an_orientation_is_seen_wherever_it_stands(tmp_path, behind):
    turned(tmp_path, 6, behind)
    picture = files.read(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.samples, np.rot90(noise(3), -1))
    assert files.header(tmp_path / "a.png").size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("behind", [False, True])
def test_an_orientation_in_xmp_is_seen(tmp_path, behind):
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0" + b'<x tiff:Orientation="6"/>'
    data = grey_png(b"\0\x5a", 2, 1, 4)
    at = len(data) - 12 if behind else HEADER
    (tmp_path / "a.png").write_bytes(data[:at] + chunk(b"iTXt", xmp) + data[at:])
    assert files.header(tmp_path / "a.png").size == (2, 1)
    assert files.read(tmp_path / "a.png").samples.ravel().tolist() == [85, 170]


def test_jpeg_filled_up_with_zeros_is_refused(tmp_path):
    path, marker = tmp_path / "a.jpg", b"\xff\xd9"
    # Thumbnails, too, put an end marker before the pixels.
    save_pillow(path, np.tile(noise(3), (8, 8, 1)), comment=marker)
    whole = path.read_bytes()
    assert whole.count(marker) == 2
    path.write_bytes(whole + bytes(100))
    files.read_pixels(path)
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    with pytest.raises(MidError, match=r"a\.jpg.*end marker"):
        files.read_pixels(path)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.8, 0.95])
def test_jpeg_whose_pixels_end_too_early_is_refused(
    tmp_path, options, channels, fraction
):
    path = tmp_path / "a.jpg"
    samples = np.tile(noise(channels), (8, 8) + (1,) * (channels == 3))
    save_pillow(path, samples, **options)
    whole = path.read_bytes()
    files.read(path)
    # A whole image is one whatever stands behind it, as a phone's film.
    path.write_bytes(whole + noise(3).tobytes())
    files.read(path)
    path.write_bytes(whole[: int(fraction * len(whole))] + b"\xff\xd9")
    with pytest.raises(MidError, match=r"a\.jpg.*its pixels end too early"):
        files.read(path)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100}])
def test_flat_jpegs_are_whole(tmp_path, value, options):
    samples = np.full((HEIGHT, WIDTH, 3), value, np.uint8)
    save_pillow(tmp_path / "a.jpg", samples, **options)
    np.testing.assert_array_equal(files.read(tmp_path / "a.jpg").samples, samples)


def test_every_real_jpeg_is_read(shared):
    paths = [p for p in shared.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg")]
    assert len(paths) > 99
    for path in paths:
        files.read(path)


def test_a_changed_byte_in_the_pixels_is_refused(tmp_path):
    save_pillow(tmp_path / "a.png", np.tile(noise(3), (4, 4, 1)))
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(MidError, match=r"a\.png.*restore"):
        files.read(tmp_path / "a.png")


def test_pillow_decodes_no_more_than_one_pixel(tmp_path, monkeypatch):
    save_pillow(tmp_path / "a.png", noise(4))
    sizes = []
    monkeypatch.setattr(
        "PIL.PngImagePlugin.PngImageFile.load", lambda image: sizes.append(image.size)
    )
    assert files.read(tmp_path / "a.png").samples.shape == (HEIGHT, WIDTH, 3)
    assert set(sizes) <= {(1, 1)}
