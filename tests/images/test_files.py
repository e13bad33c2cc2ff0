"""Every mode of image comes back as it was, or is refused with its name."""

from functools import partial
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from mid_core.errors import MidError
from mid_core.images import files, formats
from mid_core.images.picture import Picture
from tests.pictures import (
    HEIGHT,
    WIDTH,
    independent_read,
    noise,
    save_pillow,
    save_png16,
    save_tiff,
    save_turned,
    write,
)

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
save_webp = partial(save_pillow, lossless=True, exact=True)
LOSSLESS = {
    (".png", "uint8", save_pillow): (1, 2, 3, 4),
    (".png", "uint16", save_png16): (1, 2, 3, 4),
    (".tif", "uint8", save_tiff): (1, 3, 4),
    (".tif", "uint16", save_tiff): (1, 2, 3),
    (".tif", "float32", save_tiff): (1, 3),
    (".bmp", "uint8", save_pillow): (1, 3),
    (".webp", "uint8", save_webp): (3, 4),
}


@pytest.mark.parametrize(
    ("suffix", "dtype", "save", "channels"),
    [(*kind, channels) for kind, many in LOSSLESS.items() for channels in many],
)
@pytest.mark.parametrize("height", [5, HEIGHT])
def test_round_trip_is_exact(tmp_path, suffix, dtype, save, channels, height):
    samples = noise(channels, dtype)
    source, copy = tmp_path / f"source{suffix}", tmp_path / f"copy{suffix}"
    save(source, samples)

    picture = files.read(source)
    bands = (picture.rows(i, min(i + height, HEIGHT)) for i in range(0, HEIGHT, height))
    files.write_pages(copy, [(bands, picture)], 1)

    colours = 1 if channels < 3 else 3
    assert picture.samples.shape == (HEIGHT, WIDTH, colours)
    assert (picture.alpha is None) == (channels == colours)
    back = independent_read(copy)
    assert back.dtype == samples.dtype
    np.testing.assert_array_equal(back, samples)
    assert {path.name for path in tmp_path.iterdir()} == {source.name, copy.name}


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_stays_close_and_keeps_its_mode(tmp_path, mode):
    ramp = Image.radial_gradient("L").resize((WIDTH, HEIGHT)).convert(mode)
    ramp.save(tmp_path / "a.JPG", quality=95)
    picture = files.read(tmp_path / "a.JPG")
    write(tmp_path / "b.JPG", picture.rows(0, HEIGHT), picture)
    with Image.open(tmp_path / "b.JPG") as back:
        assert back.mode == mode
        change = np.asarray(back, int) - np.asarray(ramp, int)
    assert np.abs(change).max() <= 6


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("is_transparent", [False, True])
def test_palette_becomes_rgb(tmp_path, suffix, is_transparent):
    palette = Image.fromarray(noise(3)).quantize(32)
    is_transparent &= suffix == ".png"
    options = {"transparency": 3} if is_transparent else {}
    palette.save(tmp_path / f"a{suffix}", **options)
    picture = files.read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(picture.samples, np.asarray(palette.convert("RGB")))
    if is_transparent:
        expected = np.where(np.asarray(palette) == 3, 0, 255)
        np.testing.assert_array_equal(picture.alpha, expected)
    else:
        assert picture.alpha is None


# What brings an image upright (TIFF 6.0, tag 274); 9 and 65535 mean nothing.
TURNS = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: np.rot90(x, 2),
    4: lambda x: x[::-1],
    5: lambda x: np.rot90(x[::-1], -1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x[::-1]),
    8: lambda x: np.rot90(x),
    9: lambda x: x,
    65535: lambda x: x,
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_orientation_is_applied_once(tmp_path, name, turn):
    path = tmp_path / name
    if name == "a.tif":
        save_pillow(path, noise(3), tiffinfo={274: turn}, dpi=(300, 200))
    else:
        save_turned(path, noise(3), turn, dpi=(300, 200))
    stored = independent_read(path)

    picture = files.read(path)
    write(tmp_path / "b.png", picture.rows(0, len(picture.samples)), picture)

    upright = TURNS[turn](stored)
    np.testing.assert_array_equal(picture.samples, upright)
    assert files.header(path).size == upright.shape[:2]
    dpi = (200, 300) if len(upright) == WIDTH else (300, 200)
    assert picture.dpi == pytest.approx(dpi, rel=1e-3)
    with Image.open(tmp_path / "b.png") as written:
        assert written.getexif().get(274, 1) == 1
        np.testing.assert_array_equal(np.asarray(written), upright)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "deep.png", "deep.tif"])
def test_profile_and_resolution_are_kept(tmp_path, name):
    samples = noise(3, "uint16" if "deep" in name else "uint8")
    first = Picture(samples, icc=PROFILE, dpi=(300.0, 200.0))
    write(tmp_path / name, first.rows(0, HEIGHT), first)
    second = files.read(tmp_path / name)
    assert second.icc == PROFILE
    assert second.dpi == pytest.approx((300, 200), rel=1e-3)


def test_grey_is_the_mean_and_values_are_clipped_and_rounded(tmp_path):
    like = Picture(np.zeros((1, 4, 1), np.uint8))
    rgb = np.array([[[0, 0, 0.3], [-1, -1, -1], [2, 2, 2], [0.5, 0.5, 0.5]]])
    write(tmp_path / "a.png", rgb, like)
    # 0.1 * 255 = 25.5 and 0.5 * 255 = 127.5 : truncation would give 25 and 127.
    assert files.read_pixels(tmp_path / "a.png").ravel().tolist() == [26, 0, 255, 128]


@pytest.mark.parametrize(
    ("name", "like", "pages", "reason"),
    [
        ("a.jpg", Picture(np.zeros((9, 9, 3), "u2")), 1, "uint16"),
        ("a.png", Picture(np.zeros((9, 9, 3), "f4")), 1, "float32"),
        ("a.webp", Picture(np.zeros((9, 9, 1), "u1")), 1, "grey"),
        (
            "a.JPEG",
            Picture(np.zeros((9, 9, 3), "u1"), np.zeros((9, 9), "u1")),
            1,
            "alpha",
        ),
        ("a.bmp", Picture(np.zeros((9, 9, 3), "u1"), icc=b"x"), 1, "ICC"),
        ("a.webp", Picture(np.zeros((1, 16_384, 3), "u1")), 1, "16383 pixels"),
        ("a.png", Picture(np.zeros((9, 9, 3), "u1")), 2, "pages"),
        ("a.gif", Picture(np.zeros((9, 9, 3), "u1")), 1, "end its name"),
    ],
)
def test_what_a_suffix_cannot_hold_is_refused(tmp_path, name, like, pages, reason):
    images = [([like.rows(0, 9)], like)] * pages
    with pytest.raises(MidError, match=rf"{name} cannot be written: .*{reason}"):
        files.write_pages(tmp_path / name, images, pages)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    like = Picture(noise(3))
    write(tmp_path / "a.bmp", like.rows(0, HEIGHT), like)
    before = (tmp_path / "a.bmp").read_bytes()

    def fill_the_disk(image, path, **options):
        Path(path).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", fill_the_disk)
    with pytest.raises(MidError, match=r"a\.bmp.*No space left"):
        write(tmp_path / "a.bmp", np.zeros((HEIGHT, WIDTH, 3)), like)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bmp"]
    assert (tmp_path / "a.bmp").read_bytes() == before


def test_wrong_answers_and_folders_are_refused(tmp_path):
    like = Picture(noise(3))
    rgb = like.rows(0, HEIGHT)
    wrong = ([rgb[1:]], [rgb[..., :1]], [rgb * np.nan], [rgb] * 2, [rgb[:9]], [])
    for bands in wrong:
        with pytest.raises(MidError, match=r"a\.png"):
            files.write_pages(tmp_path / "a.png", [(bands, like)], 1)
    assert not list(tmp_path.iterdir())
    with pytest.raises(MidError, match="nowhere"):
        write(tmp_path / "nowhere" / "a.png", rgb, like)


@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.9])
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
    files.read_pixels(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * fraction)])
    with pytest.raises(MidError, match=rf"{path.name}.*(restore|leave)"):
        files.read_pixels(path)


@pytest.mark.parametrize(
    ("name", "save", "dtype", "opaque"),
    [
        ("a.png", save_pillow, "uint8", 255),
        ("deep.png", save_png16, "uint16", 65535),
        ("deep.tif", save_tiff, "uint16", 65535),
        ("float.tif", save_tiff, "float32", 1),
    ],
)
def test_only_the_highest_alpha_everywhere_is_opaque(
    tmp_path, name, save, dtype, opaque
):
    samples = noise(4, dtype)
    samples[..., 3] = opaque
    save(tmp_path / name, samples)
    np.testing.assert_array_equal(files.read_pixels(tmp_path / name), samples[..., :3])
    for uniform in (0, opaque / 2):
        samples[..., 3] = uniform
        save(tmp_path / name, samples)
        with pytest.raises(MidError, match=f"{name} has transparent parts"):
            files.read_pixels(tmp_path / name)


def test_missing_and_foreign_files_are_refused_by_name(tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "empty.jpg").touch()
    for name in ("none.png", "text.png", "empty.jpg"):
        with pytest.raises(MidError, match=name):
            files.read(tmp_path / name)


@pytest.mark.parametrize(
    ("reason", "save"),
    [
        ("GIF", lambda p: Image.new("L", (9, 9)).save(p, "GIF")),
        ("AVIF", lambda p: Image.new("RGB", (9, 9)).save(p, "AVIF")),
        ("JPEG 2000", lambda p: Image.new("L", (64, 64)).save(p, "JPEG2000")),
        ("JPEG XL", lambda p: p.write_bytes(imagecodecs.jpegxl_encode(noise(3)))),
        ("HEIC", lambda p: p.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")),
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
        ("NaN", lambda p: tifffile.imwrite(p, np.full((9, 9), np.nan, np.float32))),
        (
            "from -100 to 4000.*rescale",
            lambda p: tifffile.imwrite(p, np.array([[-100, 4000]], np.float32)),
        ),
    ],
)
def test_unsupported_kinds_are_refused_with_the_reason(tmp_path, reason, save):
    path = tmp_path / "odd.img"
    save(path)
    with pytest.raises(MidError, match=rf"odd\.img .*{reason}"):
        files.read(path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif"])
def test_a_header_is_read_without_the_pixels(tmp_path, name):
    samples = np.tile(noise(3), (8, 8, 1))
    (save_tiff if name == "a.tif" else save_pillow)(tmp_path / name, samples)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    if name != "a.tif":  # its directory stands behind the pixels
        assert files.header(tmp_path / name) == ((8 * HEIGHT, 8 * WIDTH), (0,))
    (tmp_path / name).write_bytes(whole[:9])
    with pytest.raises(MidError, match=f"{name} cannot be read"):
        files.header(tmp_path / name)


def test_the_limit_of_pixels_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "MAX_PIXELS", HEIGHT * WIDTH - 1)
    save_tiff(tmp_path / "a.tif", noise(3))
    save_pillow(tmp_path / "a.png", noise(3))
    for name in ("a.png", "a.tif"):
        with pytest.raises(MidError, match=rf"{name} has 31 x 37 pixels"):
            files.read(tmp_path / name)
