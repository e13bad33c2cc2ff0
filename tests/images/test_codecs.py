"""File layouts are decoded whole, or refused with name and reason."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from mid_core.errors import MidError
from mid_core.images import codecs
from mid_core.images import picture as images
from tests.pictures import (
    HEIGHT,
    WIDTH,
    noise,
    save_pages,
    save_pillow,
    save_png16,
    save_tiff,
    save_turned,
)


@pytest.mark.parametrize(
    "options",
    [
        {"byteorder": ">"},
        {"compression": "lzw"},
        {"compression": "zlib", "predictor": True, "tile": (16, 16)},
        {"bigtiff": True},
    ],
)
def test_tiff_layouts(tmp_path, options):
    save_tiff(tmp_path / "a.tif", noise(3, "uint16"), **options)
    pixels = images.read_pixels(tmp_path / "a.tif")
    assert pixels.dtype.isnative
    np.testing.assert_array_equal(pixels, noise(3, "uint16"))


def test_tiff_planes_and_jpeg_colours(tmp_path):
    planes = np.moveaxis(noise(3), 2, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate"
    )
    np.testing.assert_array_equal(images.read_pixels(tmp_path / "a.tif"), noise(3))
    save_pillow(tmp_path / "b.tif", noise(3), compression="jpeg")
    with Image.open(tmp_path / "b.tif") as expected:
        change = images.read_pixels(tmp_path / "b.tif") - np.asarray(expected, int)
    assert np.abs(change).max() <= 1


@pytest.mark.parametrize("fraction", [0.001, 0.25, 0.5, 0.9])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("deep.png", {}),
        ("a.jpg", {}),
        ("a.jpg", {"progressive": True}),
        ("a.bmp", {}),
        ("a.webp", {}),
        ("plain.tif", {}),
        ("lzw.tif", {"compression": "lzw"}),
        ("packbits.tif", {"compression": "packbits"}),
        ("zlib.tif", {"compression": "zlib"}),
        ("jpeg.tif", {"compression": "jpeg"}),
    ],
)
def test_cut_files_are_refused_by_name(tmp_path, name, options, fraction):
    path, samples = tmp_path / name, np.tile(noise(3), (8, 8, 1))
    if path.suffix == ".tif":
        save_tiff(path, samples, **options)
    elif name == "deep.png":
        save_png16(path, samples.astype(np.uint16))
    else:
        save_pillow(path, samples, **options)
    images.read_pixels(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * fraction)])
    with pytest.raises(MidError, match=rf"{path.name}.*(restore|leave)"):
        images.read_pixels(path)


def test_jpeg_filled_up_with_zeros_is_refused(tmp_path):
    path, marker = tmp_path / "a.jpg", b"\xff\xd9"
    # Thumbnails, too, put an end marker before the pixels.
    save_pillow(path, np.tile(noise(3), (8, 8, 1)), comment=marker)
    whole = path.read_bytes()
    assert whole.count(marker) == 2
    path.write_bytes(whole + bytes(100))
    images.read_pixels(path)
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    with pytest.raises(MidError, match=r"a\.jpg.*end marker"):
        images.read_pixels(path)


def test_missing_and_foreign_files_are_refused_by_name(tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "empty.jpg").touch()
    for name in ("none.png", "text.png", "empty.jpg"):
        with pytest.raises(MidError, match=name):
            images.read(tmp_path / name)


@pytest.mark.parametrize(
    ("reason", "save"),
    [
        ("mode is 1", lambda p: Image.new("1", (9, 9)).save(p, "PNG")),
        ("mode is CMYK", lambda p: Image.new("CMYK", (9, 9)).save(p, "JPEG")),
        ("SEPARATED", lambda p: Image.new("CMYK", (9, 9)).save(p, "TIFF")),
        ("1-bit", lambda p: Image.new("1", (9, 9)).save(p, "TIFF")),
        ("5 pages", lambda p: tifffile.imwrite(p, np.zeros((5, 9, 9), "u2"))),
        ("64-bit float64", lambda p: tifffile.imwrite(p, np.zeros((9, 9)))),
        ("int32", lambda p: tifffile.imwrite(p, np.zeros((9, 9), "i4"))),
        (
            "channels",
            lambda p: tifffile.imwrite(
                p, np.zeros((9, 9, 5), "u1"), photometric="rgb", planarconfig="contig"
            ),
        ),
        (
            "2 images",
            lambda p: Image.new("L", (9, 9)).save(
                p, "PNG", save_all=True, append_images=[Image.new("L", (9, 9), 9)]
            ),
        ),
        (
            "NaN",
            lambda p: tifffile.imwrite(p, np.full((9, 9), np.nan, np.float32)),
        ),
    ],
)
def test_unsupported_kinds_are_refused_with_the_reason(tmp_path, reason, save):
    path = tmp_path / "odd.img"
    save(path)
    with pytest.raises(MidError, match=rf"odd\.img .*{reason}"):
        images.read(path)


STACKS = {
    "plain": lambda p, x: tifffile.imwrite(p, x),
    "imagej": lambda p, x: tifffile.imwrite(
        p, x, imagej=True, metadata={"axes": "ZYX"}
    ),
    "ome": lambda p, x: tifffile.imwrite(p, x, ome=True, metadata={"axes": "TYX"}),
    "silent": lambda p, x: save_pages(p, list(x), compression="zlib"),
    "pillow": lambda p, x: save_pillow(
        p, x[0], save_all=True, append_images=[Image.fromarray(page) for page in x[1:]]
    ),
}


@pytest.mark.parametrize("program", STACKS)
def test_each_page_of_a_stack_is_an_image(tmp_path, program):
    stack = np.moveaxis(noise(5, "uint16"), 2, 0).copy()
    STACKS[program](tmp_path / "a.tif", stack)
    assert codecs.header(tmp_path / "a.tif") == ((HEIGHT, WIDTH), (0, 1, 2, 3, 4))
    for number in (4, 0, 2):
        page = images.read_pixels(tmp_path / "a.tif", number)
        np.testing.assert_array_equal(page[..., 0], stack[number])


def test_pages_in_colour_and_thumbnails(tmp_path):
    save_pages(tmp_path / "a.tif", [noise(3), noise(3)[::-1]])
    with tifffile.TiffWriter(tmp_path / "a.tif", append=True) as tiff:
        tiff.write(noise(3)[:9, :9], photometric="rgb", metadata=None, subfiletype=1)
    assert images.header(tmp_path / "a.tif").pages == (0, 1)
    second = images.read_pixels(tmp_path / "a.tif", 1)
    np.testing.assert_array_equal(second, noise(3)[::-1])


@pytest.mark.parametrize(
    ("reason", "save"),
    [
        ("2 pages differ", lambda p: save_pages(p, [noise(1), noise(1)[1:]])),
        ("2 pages differ", lambda p: save_pages(p, [noise(1), noise(1, "uint16")])),
        ("2 pages differ", lambda p: save_pages(p, [noise(1), noise(3)])),
        (
            "channels of an image",
            lambda p: tifffile.imwrite(
                p, np.zeros((3, 9, 7), "u1"), imagej=True, metadata={"axes": "CYX"}
            ),
        ),
        (
            "volume",  # one page that stands for five
            lambda p: tifffile.imwrite(p, np.zeros((5, 9, 7), "u2"), truncate=True),
        ),
        (
            "axes are ZYX",
            lambda p: tifffile.imwrite(
                p, np.zeros((16, 32, 48), "u1"), volumetric=True, tile=(16, 16, 16)
            ),
        ),
    ],
)
def test_stacks_that_are_no_images_are_refused_with_the_reason(tmp_path, reason, save):
    save(tmp_path / "odd.tif")
    for reads in (images.header, images.read):
        with pytest.raises(MidError, match=rf"odd\.tif .*{reason}"):
            reads(tmp_path / "odd.tif")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif"])
def test_a_header_is_read_without_the_pixels(tmp_path, name):
    samples = np.tile(noise(3), (8, 8, 1))
    (save_tiff if name == "a.tif" else save_pillow)(tmp_path / name, samples)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    if name != "a.tif":  # its directory stands behind the pixels
        assert images.header(tmp_path / name) == ((8 * HEIGHT, 8 * WIDTH), (0,))
    (tmp_path / name).write_bytes(whole[:9])
    with pytest.raises(MidError, match=f"{name} cannot be read"):
        images.header(tmp_path / name)


@pytest.mark.parametrize("turn", [1, 3, 5, 6, 8])
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_a_header_tells_the_upright_size(tmp_path, name, turn):
    if name == "a.tif":
        save_pillow(tmp_path / name, noise(3), tiffinfo={274: turn})
    else:
        save_turned(tmp_path / name, noise(3), turn)
    height, width, _ = images.read_pixels(tmp_path / name).shape
    assert images.header(tmp_path / name).size == (height, width)
    assert (height, width) == ((WIDTH, HEIGHT) if turn >= 5 else (HEIGHT, WIDTH))


def test_large_photographs_are_read_and_the_limit_is_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    save_pillow(tmp_path / "a.png", noise(3))
    images.read(tmp_path / "a.png")
    assert Image.MAX_IMAGE_PIXELS == 100
    monkeypatch.setattr(codecs, "MAX_PIXELS", HEIGHT * WIDTH - 1)
    save_tiff(tmp_path / "a.tif", noise(3))
    for name in ("a.png", "a.tif"):
        with pytest.raises(MidError, match=rf"{name} has 31 x 37 pixels"):
            images.read(tmp_path / name)


def test_a_forged_size_is_refused_before_decoding(tmp_path):
    header = struct.pack(">II5B", 60_000, 60_000, 16, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    save_png16(tmp_path / "a.png", noise(3, "uint16"))
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[:16] + header + check + data[33:])
    with pytest.raises(MidError, match="60000 x 60000"):
        images.read(tmp_path / "a.png")
