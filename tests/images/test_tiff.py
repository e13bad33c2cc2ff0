"""Layouts of TIFF, and files of several pages."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from mid_core.errors import MidError
from mid_core.images import files, tiff
from mid_core.images.picture import Picture
from tests.pictures import (
    HEIGHT,
    WIDTH,
    independent_read,
    noise,
    save_pages,
    save_pillow,
    save_tiff,
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
def test_layouts(tmp_path, options):
    save_tiff(tmp_path / "a.tif", noise(3, "uint16"), **options)
    pixels = files.read_pixels(tmp_path / "a.tif")
    assert pixels.dtype.isnative
    np.testing.assert_array_equal(pixels, noise(3, "uint16"))


def test_planes_and_jpeg_colours(tmp_path):
    planes = np.moveaxis(noise(3), 2, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate"
    )
    np.testing.assert_array_equal(files.read_pixels(tmp_path / "a.tif"), noise(3))
    save_pillow(tmp_path / "b.tif", noise(3), compression="jpeg")
    with Image.open(tmp_path / "b.tif") as expected:
        change = files.read_pixels(tmp_path / "b.tif") - np.asarray(expected, int)
    assert np.abs(change).max() <= 1


def test_a_palette_is_turned_with_its_image(tmp_path):
    image = Image.fromarray(noise(3)).quantize(32)
    image.save(tmp_path / "a.tif", tiffinfo={274: 6})
    expected = np.rot90(np.asarray(image.convert("RGB")), -1)
    np.testing.assert_array_equal(files.read_pixels(tmp_path / "a.tif"), expected)


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
    assert files.header(tmp_path / "a.tif") == ((HEIGHT, WIDTH), (0, 1, 2, 3, 4))
    for number in (4, 0, 2):
        page = files.read_pixels(tmp_path / "a.tif", number)
        np.testing.assert_array_equal(page[..., 0], stack[number])


def test_pages_in_colour_and_thumbnails(tmp_path):
    save_pages(tmp_path / "a.tif", [noise(3), noise(3)[::-1]])
    with tifffile.TiffWriter(tmp_path / "a.tif", append=True) as file:
        file.write(noise(3)[:9, :9], photometric="rgb", metadata=None, subfiletype=1)
    assert files.header(tmp_path / "a.tif").pages == (0, 1)
    second = files.read_pixels(tmp_path / "a.tif", 1)
    np.testing.assert_array_equal(second, noise(3)[::-1])


def save_below(path, pages, below, below_type=1, **options):
    """Save pages, each with smaller or larger ones in a directory below it."""
    with tifffile.TiffWriter(path) as file:
        for page in pages:
            file.write(page, subifds=len(below), metadata=None, **options)
            for other in below:
                file.write(other, subfiletype=below_type, metadata=None)


@pytest.mark.parametrize("below", [[noise(1)[:9, :7]], [noise(1)[::2], noise(1)[::4]]])
@pytest.mark.parametrize("count", [1, 2])
def test_thumbnails_and_pyramids_below_a_page_are_passed_over(tmp_path, below, count):
    pages = [noise(1), noise(1)[::-1]][:count]
    save_below(tmp_path / "a.tif", pages, below)
    assert files.header(tmp_path / "a.tif") == ((HEIGHT, WIDTH), (0, 1)[:count])
    for number, page in enumerate(pages):
        found = files.read_pixels(tmp_path / "a.tif", number)
        np.testing.assert_array_equal(found[..., 0], page)


@pytest.mark.parametrize(
    ("reason", "save"),
    [
        ("a raw photo", lambda p: save_below(p, [noise(1)[:9]], [noise(1)], 0)),
        (
            "a raw photo",
            lambda p: save_tiff(
                p, noise(3), extratags=[(50706, 1, 4, b"\1\4\0\0", True)]
            ),
        ),
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
    for reads in (files.header, files.read):
        with pytest.raises(MidError, match=rf"odd\.tif .*{reason}"):
            reads(tmp_path / "odd.tif")


def test_pages_are_written_one_by_one_and_each_as_it_was(tmp_path):
    stack = np.moveaxis(noise(5, "uint16"), 2, 0)
    tifffile.imwrite(tmp_path / "a.tif", stack)
    sizes = []

    def pages():
        for number in range(len(stack)):
            picture = files.read(tmp_path / "a.tif", number)
            yield [picture.rows(0, HEIGHT)], picture
            (hidden,) = tmp_path.glob(".mid-*.tif")
            sizes.append(hidden.stat().st_size)

    files.write_pages(tmp_path / "b.tif", pages(), len(stack))
    np.testing.assert_array_equal(independent_read(tmp_path / "b.tif"), stack)
    assert len(sizes) == 5
    assert (np.diff(sizes) > HEIGHT * WIDTH).all()
    assert files.header(tmp_path / "b.tif").pages == (0, 1, 2, 3, 4)


def test_a_stack_over_four_gigabytes_has_long_offsets(tmp_path, monkeypatch):
    like = Picture(noise(3))
    for limit, is_big in (
        (2 * like.samples.nbytes, False),
        (like.samples.nbytes, True),
    ):
        monkeypatch.setattr(tiff, "_PLAIN_BYTES", limit)
        images = [([like.rows(0, HEIGHT)], like)] * 2
        files.write_pages(tmp_path / "a.tif", images, 2)
        with tifffile.TiffFile(tmp_path / "a.tif") as file:
            assert (file.is_bigtiff, len(file.pages)) == (is_big, 2)


def test_a_stack_is_written_whole_or_not_at_all(tmp_path):
    def breaks():
        yield [noise(3, "float32")], Picture(noise(3))
        raise MidError("the second page is damaged")

    with pytest.raises(MidError, match="second page"):
        files.write_pages(tmp_path / "a.tif", breaks(), 2)
    assert not list(tmp_path.iterdir())
