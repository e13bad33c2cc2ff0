"""Every mode of image comes back as it was, or is refused with its name."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from mid_core.errors import MidError
from mid_core.images import codecs, formats
from mid_core.images import picture as images
from tests.pictures import (
    HEIGHT,
    WIDTH,
    independent_read,
    noise,
    save_pillow,
    save_png16,
    save_tiff,
    save_turned,
)

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSLESS = [
    (".png", 1, "uint8", save_pillow),
    (".png", 2, "uint8", save_pillow),
    (".png", 3, "uint8", save_pillow),
    (".png", 4, "uint8", save_pillow),
    (".png", 1, "uint16", save_png16),
    (".png", 2, "uint16", save_png16),
    (".png", 3, "uint16", save_png16),
    (".png", 4, "uint16", save_png16),
    (".tif", 1, "uint8", save_tiff),
    (".tif", 3, "uint8", save_tiff),
    (".tif", 4, "uint8", save_tiff),
    (".tif", 1, "uint16", save_tiff),
    (".tif", 2, "uint16", save_tiff),
    (".tif", 3, "uint16", save_tiff),
    (".tif", 1, "float32", save_tiff),
    (".tif", 3, "float32", save_tiff),
    (".bmp", 1, "uint8", save_pillow),
    (".bmp", 3, "uint8", save_pillow),
]


@pytest.mark.parametrize(("suffix", "channels", "dtype", "save"), LOSSLESS)
def test_round_trip_is_exact(tmp_path, suffix, channels, dtype, save):
    samples = noise(channels, dtype)
    source, copy = tmp_path / f"source{suffix}", tmp_path / f"copy{suffix}"
    save(source, samples)

    picture = images.read(source)
    images.write(copy, picture.rgb, picture)

    assert picture.rgb.shape == (HEIGHT, WIDTH, 3)
    assert picture.rgb.dtype == np.float32
    assert (picture.alpha is None) == (channels in (1, 3))
    back = independent_read(copy)
    assert back.dtype == samples.dtype
    np.testing.assert_array_equal(back, samples)
    assert {path.name for path in tmp_path.iterdir()} == {source.name, copy.name}


@pytest.mark.parametrize("channels", [3, 4])
def test_webp_round_trip(tmp_path, channels):
    samples = noise(channels)
    save_pillow(tmp_path / "a.webp", samples, lossless=True, exact=True)
    picture = images.read(tmp_path / "a.webp")
    images.write(tmp_path / "b.webp", picture.rgb, picture)
    np.testing.assert_array_equal(independent_read(tmp_path / "b.webp"), samples)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_stays_close_and_keeps_its_mode(tmp_path, mode):
    ramp = Image.radial_gradient("L").resize((WIDTH, HEIGHT)).convert(mode)
    ramp.save(tmp_path / "a.JPG", quality=95)
    picture = images.read(tmp_path / "a.JPG")
    images.write(tmp_path / "b.JPG", picture.rgb, picture)
    with Image.open(tmp_path / "b.JPG") as back:
        assert back.mode == mode
        change = np.asarray(back, int) - np.asarray(ramp, int)
    assert np.abs(change).max() <= 6


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_ramp_keeps_its_levels(tmp_path, suffix):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    ramp = np.dstack([ramp, ramp[::-1], ramp.T])
    (save_png16 if suffix == ".png" else save_tiff)(tmp_path / f"a{suffix}", ramp)
    picture = images.read(tmp_path / f"a{suffix}")
    images.write(tmp_path / f"b{suffix}", picture.rgb, picture)
    back = independent_read(tmp_path / f"b{suffix}")
    assert [np.unique(back[..., c]).size for c in range(3)] == [65536] * 3


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("is_transparent", [False, True])
def test_palette_becomes_rgb(tmp_path, suffix, is_transparent):
    palette = Image.fromarray(noise(3)).quantize(32)
    is_transparent &= suffix == ".png"
    options = {"transparency": 3} if is_transparent else {}
    palette.save(tmp_path / f"a{suffix}", **options)
    picture = images.read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(picture.samples, np.asarray(palette.convert("RGB")))
    if is_transparent:
        expected = np.where(np.asarray(palette) == 3, 0, 255)
        np.testing.assert_array_equal(picture.alpha, expected)
    else:
        assert picture.alpha is None


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientation_is_applied_once(tmp_path, turn):
    save_turned(tmp_path / "a.jpg", noise(3), turn, dpi=(300, 200))
    with Image.open(tmp_path / "a.jpg") as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored))

    picture = images.read(tmp_path / "a.jpg")
    images.write(tmp_path / "b.png", picture.rgb, picture)

    np.testing.assert_array_equal(picture.samples, upright)
    assert picture.dpi == ((200, 300) if turn >= 5 else (300, 200))
    with Image.open(tmp_path / "b.png") as written:
        assert written.getexif().get(274, 1) == 1
        np.testing.assert_array_equal(np.asarray(written), upright)


@pytest.mark.parametrize("is_palette", [False, True])
def test_tiff_orientation_is_applied_once(tmp_path, is_palette):
    image = Image.fromarray(noise(3))
    image = image.quantize(32) if is_palette else image
    image.save(tmp_path / "a.tif", tiffinfo={274: 6})
    expected = np.rot90(np.asarray(image.convert("RGB")), -1)
    np.testing.assert_array_equal(images.read_pixels(tmp_path / "a.tif"), expected)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "deep.png", "deep.tif"])
def test_profile_and_resolution_are_kept(tmp_path, name):
    samples = noise(3, "uint16" if "deep" in name else "uint8")
    first = images.Picture(samples, icc=PROFILE, dpi=(300.0, 200.0))
    images.write(tmp_path / name, first.rgb, first)
    second = images.read(tmp_path / name)
    assert second.icc == PROFILE
    assert second.dpi == pytest.approx((300, 200), rel=1e-3)


def test_grey_is_the_mean_and_values_are_clipped_and_rounded(tmp_path):
    like = images.Picture(np.zeros((1, 4, 1), np.uint8))
    rgb = np.array([[[0, 0, 0.3], [-1, -1, -1], [2, 2, 2], [0.5, 0.5, 0.5]]])
    images.write(tmp_path / "a.png", rgb, like)
    # 0.1 * 255 = 25.5 and 0.5 * 255 = 127.5 : truncation would give 25 and 127.
    assert images.read_pixels(tmp_path / "a.png").ravel().tolist() == [26, 0, 255, 128]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_float_and_back_is_exact_for_every_level(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    x = images.to_float(levels)
    assert (x.dtype, x.min(), x.max()) == (np.float32, 0, 1)
    np.testing.assert_array_equal(images.to_dtype(x, dtype), levels)


def test_other_dtypes_are_refused():
    with pytest.raises(MidError, match="float64"):
        images.to_float(np.zeros(3))
    with pytest.raises(MidError, match="int32"):
        images.to_dtype(np.zeros(3), "int32")


def test_float_range_is_asked_for_and_undone(tmp_path):
    counts = noise(1, "float32") * 4000 - 100
    save_tiff(tmp_path / "a.tif", counts)
    with pytest.raises(MidError, match=r"a\.tif holds float samples from -.*rescale"):
        images.read(tmp_path / "a.tif")
    picture = images.read(tmp_path / "a.tif", float_range=(-200, 4000))
    assert 0 <= picture.rgb.min() < picture.rgb.max() <= 1
    images.write(tmp_path / "b.tif", picture.rgb, picture)
    np.testing.assert_allclose(tifffile.imread(tmp_path / "b.tif"), counts, atol=1e-3)


@pytest.mark.parametrize("limits", [(0.1, 0.7), (1 / 3, 1e6)])
def test_clipped_floats_stay_in_their_range(tmp_path, limits):
    samples = np.linspace(*limits, HEIGHT * WIDTH, dtype=np.float32)
    like = images.Picture(samples.reshape(HEIGHT, WIDTH, 1), float_range=limits)
    images.write(tmp_path / "a.tif", like.rgb * 9 - 4, like)
    images.read(tmp_path / "a.tif", float_range=limits)


@pytest.mark.parametrize(
    ("name", "like", "reason"),
    [
        ("a.jpg", images.Picture(np.zeros((9, 9, 3), "u2")), "uint16"),
        ("a.png", images.Picture(np.zeros((9, 9, 3), "f4")), "float32"),
        ("a.webp", images.Picture(np.zeros((9, 9, 1), "u1")), "grey"),
        (
            "a.JPEG",
            images.Picture(np.zeros((9, 9, 3), "u1"), np.zeros((9, 9), "u1")),
            "alpha",
        ),
        ("a.bmp", images.Picture(np.zeros((9, 9, 3), "u1"), icc=b"x"), "ICC"),
        ("a.webp", images.Picture(np.zeros((1, 16_384, 3), "u1")), "16383 pixels"),
        ("a.gif", images.Picture(np.zeros((9, 9, 3), "u1")), "end its name"),
    ],
)
def test_what_a_suffix_cannot_hold_is_refused(tmp_path, name, like, reason):
    with pytest.raises(MidError, match=rf"{name}.*{reason}"):
        formats.check_writable(tmp_path / name, like)
    with pytest.raises(MidError, match=reason):
        images.write(tmp_path / name, like.rgb, like)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    like = images.Picture(noise(3))
    images.write(tmp_path / "a.bmp", like.rgb, like)
    before = (tmp_path / "a.bmp").read_bytes()

    def fill_the_disk(image, path, **options):
        Path(path).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", fill_the_disk)
    with pytest.raises(MidError, match=r"a\.bmp.*No space left"):
        images.write(tmp_path / "a.bmp", like.rgb * 0, like)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bmp"]
    assert (tmp_path / "a.bmp").read_bytes() == before


def test_wrong_answers_and_folders_are_refused(tmp_path):
    like = images.Picture(noise(3))
    for rgb in (like.rgb[1:], like.rgb[..., :1], like.rgb * np.nan):
        with pytest.raises(MidError, match=r"a\.png"):
            images.write(tmp_path / "a.png", rgb, like)
    for bands in ([like.rgb] * 2, [like.rgb[:9]], []):
        with pytest.raises(MidError, match=r"a\.png"):
            images.write_pages(tmp_path / "a.png", [(bands, like)], 1)
    assert not list(tmp_path.iterdir())
    with pytest.raises(MidError, match="nowhere"):
        images.write(tmp_path / "nowhere" / "a.png", like.rgb, like)


@pytest.mark.parametrize("height", [1, 5, HEIGHT])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_bands_of_any_height_make_one_image(tmp_path, suffix, height):
    save_tiff(tmp_path / "a.tif", noise(4, "uint16"))
    like = images.read(tmp_path / "a.tif")
    bands = (like.rows(i, min(i + height, HEIGHT)) for i in range(0, HEIGHT, height))
    images.write_pages(tmp_path / f"b{suffix}", [(bands, like)], 1)
    back = independent_read(tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(back, noise(4, "uint16"))


def test_rows_are_whole_arrays_in_the_order_of_memory(tmp_path):
    """Torch takes no others: a turned image is a view with backward steps."""
    save_turned(tmp_path / "a.png", noise(3), 7)
    picture = images.read(tmp_path / "a.png")
    rows = picture.rows(2, 9)
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows, picture.rgb[2:9])
    np.testing.assert_array_equal(
        picture.rgb, noise(3)[::-1, ::-1].swapaxes(0, 1) / np.float32(255)
    )


def test_pages_are_written_one_by_one_and_each_as_it_was(tmp_path):
    stack = np.moveaxis(noise(5, "uint16"), 2, 0)
    tifffile.imwrite(tmp_path / "a.tif", stack)
    sizes = []

    def pages():
        for number in range(len(stack)):
            picture = images.read(tmp_path / "a.tif", page=number)
            yield [picture.rgb], picture
            (hidden,) = tmp_path.glob(".b.*.tif")
            sizes.append(hidden.stat().st_size)

    images.write_pages(tmp_path / "b.tif", pages(), len(stack))
    np.testing.assert_array_equal(independent_read(tmp_path / "b.tif"), stack)
    assert len(sizes) == 5
    assert (np.diff(sizes) > HEIGHT * WIDTH).all()
    assert images.header(tmp_path / "b.tif").pages == (0, 1, 2, 3, 4)


def test_a_stack_over_four_gigabytes_has_long_offsets(tmp_path, monkeypatch):
    like = images.Picture(noise(3))
    for limit, is_big in (
        (2 * like.samples.nbytes, False),
        (like.samples.nbytes, True),
    ):
        monkeypatch.setattr(codecs, "_PLAIN_TIFF_BYTES", limit)
        images.write_pages(tmp_path / "a.tif", [([like.rgb], like)] * 2, 2)
        with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
            assert (tiff.is_bigtiff, len(tiff.pages)) == (is_big, 2)


def test_a_stack_is_written_whole_or_not_at_all(tmp_path):
    like = images.Picture(noise(3))
    with pytest.raises(MidError, match=r"a\.png cannot be written: .*hold pages"):
        images.write_pages(tmp_path / "a.png", [([like.rgb], like)] * 2, 2)

    def breaks():
        yield [like.rgb], like
        raise MidError("the second page is damaged")

    with pytest.raises(MidError, match="second page"):
        images.write_pages(tmp_path / "a.tif", breaks(), 2)
    assert not list(tmp_path.iterdir())


def test_rgb_is_a_copy():
    picture = images.Picture(noise(3, "float32"))
    picture.rgb[:] = 0
    assert picture.samples.any()
