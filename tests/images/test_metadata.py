"""EXIF and the meaning of colours survive, or are refused."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from PIL.ExifTags import GPS, IFD, Base

from mid_core.errors import MidError
from mid_core.images import files, tiff
from mid_core.images.metadata import told_profile
from tests.damaged import chunk
from tests.pictures import HEIGHT, WIDTH, noise, save_pillow, save_tiff, write

HEADER = 33
TAKEN, LENS, NOTE = "2026:11:29 05:51:25", "EF 50mm f/1.8", b"maker\0\1\2\3 note"
ARTIST = "Chloé"


def photo_exif(space: int = 1, index: str = "R98") -> Image.Exif:
    """What a camera writes, with a thumbnail and an orientation."""
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.Orientation] = "Canon", "EOS R5", 6
    exif[Base.Artist] = ARTIST
    camera = {Base.DateTimeOriginal: TAKEN, Base.LensModel: LENS, Base.MakerNote: NOTE}
    camera |= {Base.ExifImageWidth: WIDTH, Base.ExifImageHeight: HEIGHT}
    camera |= {Base.ColorSpace: space, IFD.Interop: {1: index}}
    exif[IFD.Exif] = camera
    exif[IFD.GPSInfo] = {
        GPS.GPSLatitudeRef: "N",
        GPS.GPSLatitude: (48.0, 8.0, 15.5),
    }
    loaded = Image.Exif()
    loaded.load(exif.tobytes())
    return loaded


def save_photo(path, **options) -> None:
    exif = photo_exif(**options)
    if path.suffix == ".webp":
        save_pillow(path, noise(3), exif=exif, lossless=True)
    else:
        save_pillow(path, noise(3), exif=exif)


def denoised(source, target):
    """Write what was read, as it was."""
    picture = files.read(source)
    write(target, picture.rows(0, len(picture.samples)), picture)


@pytest.mark.parametrize("target", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("source", [".jpg", ".png", ".webp", ".tif"])
def test_date_camera_lens_and_place_survive(tmp_path, source, target):
    save_photo(tmp_path / f"a{source}")
    denoised(tmp_path / f"a{source}", tmp_path / f"b{target}")
    with Image.open(tmp_path / f"b{target}") as image:
        exif = image.getexif()
        camera, place = exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo)
        interop, thumbnail = exif.get_ifd(IFD.Interop), exif.get_ifd(IFD.IFD1)
        assert image.size == (HEIGHT, WIDTH)  # turned
        if target == ".tif":
            image.load()
    assert (exif[Base.Make], exif[Base.Model]) == ("Canon", "EOS R5")
    assert exif.get(Base.Orientation, 1) == 1
    assert (camera[Base.DateTimeOriginal], camera[Base.LensModel]) == (TAKEN, LENS)
    assert camera[Base.MakerNote] == NOTE
    assert (camera[Base.ExifImageWidth], camera[Base.ExifImageHeight]) == image.size
    # Pillow leaves it out of the TIFF that is read here.
    assert interop == ({} if source == ".tif" else {1: "R98"})
    assert place[GPS.GPSLatitude] == (48.0, 8.0, 15.5)
    assert not thumbnail


def test_the_thumbnail_of_the_noisy_image_goes(tmp_path):
    thumbnail = io.BytesIO()
    Image.new("RGB", (8, 6)).save(thumbnail, "JPEG")
    whole = photo_exif().tobytes()
    body = whole[6:]
    # IFD1 at the end, told by the four bytes behind the entries of IFD0.
    count = struct.unpack(">H", body[8:10])[0]
    place = 10 + 12 * count
    first = len(body) + 2 + 2 * 12 + 4
    entries = struct.pack(">H", 2) + struct.pack(">HHII", 513, 4, 1, first)
    entries += struct.pack(">HHII", 514, 4, 1, len(thumbnail.getvalue())) + bytes(4)
    linked = body[:place] + struct.pack(">I", len(body)) + body[place + 4 :]
    exif = whole[:6] + linked + entries + thumbnail.getvalue()
    save_pillow(tmp_path / "a.jpg", noise(3), exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.getexif().get_ifd(IFD.IFD1)[513] == first
    denoised(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert (tmp_path / "b.jpg").read_bytes().count(b"\xff\xd8\xff") == 1
    with Image.open(tmp_path / "b.jpg") as image:
        assert not image.getexif().get_ifd(IFD.IFD1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_does_not_stop_the_image_and_is_named(tmp_path):
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\xff\xff\0\0"
    save_pillow(tmp_path / "a.jpg", noise(3), exif=exif, comment=b"seen")
    picture = files.read(tmp_path / "a.jpg")
    assert picture.samples.shape == (HEIGHT, WIDTH, 3)
    assert "comments" in picture.lost


@pytest.mark.parametrize(
    ("space", "index", "is_adobe"),
    [
        (0xFFFF, "R03", True),
        (2, "R98", True),
        (0xFFFF, "R98", False),
        (1, "R98", False),
    ],
)
@pytest.mark.parametrize("target", [".jpg", ".png", ".tif"])
def test_adobe_rgb_told_by_exif_becomes_a_profile(
    tmp_path, target, space, index, is_adobe
):
    save_photo(tmp_path / "a.jpg", space=space, index=index)
    denoised(tmp_path / "a.jpg", tmp_path / f"b{target}")
    with Image.open(tmp_path / f"b{target}") as image:
        icc, exif = image.info.get("icc_profile"), image.getexif()
        assert exif.get_ifd(IFD.Exif)[Base.ColorSpace] == space
    assert (icc is not None) == is_adobe
    if is_adobe:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
        # Adobe RGB (1998), 4.3.1.2: green at (0.21, 0.71), here adapted to D50.
        assert profile.green_primary[1][:2] == pytest.approx((0.2302, 0.7016), abs=1e-3)


PHOTO_RGB = (31_270, 32_900, 73_470, 26_530, 15_960, 84_040, 3_660, 10)
GAMMA_1 = chunk(b"gAMA", struct.pack(">I", 100_000))
SRGB_GAMMA = chunk(b"gAMA", struct.pack(">I", 45_455))
WIDE = chunk(b"cHRM", struct.pack(">8I", *PHOTO_RGB))
SRGB_XY = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
USUAL = chunk(b"cHRM", struct.pack(">8I", *SRGB_XY))
SRGB = chunk(b"sRGB", b"\0")


@pytest.mark.parametrize(
    ("chunks", "means_srgb"),
    [
        (GAMMA_1, False),
        (SRGB_GAMMA + WIDE, False),
        (chunk(b"cICP", bytes([9, 16, 0, 1])), False),
        (chunk(b"cICP", bytes([9, 16, 0, 1])) + SRGB, False),
        (chunk(b"cICP", bytes([1, 13, 0, 1])) + GAMMA_1, True),
        (SRGB, True),
        (SRGB + GAMMA_1, True),
        (SRGB_GAMMA + USUAL, True),
        (b"", True),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colours_told_by_chunks_stay_or_are_refused(
    tmp_path, chunks, means_srgb, dtype
):
    import imagecodecs

    data = imagecodecs.png_encode(noise(3, dtype))
    (tmp_path / "a.png").write_bytes(data[:HEADER] + chunks + data[HEADER:])
    denoised(tmp_path / "a.png", tmp_path / "b.png")
    written = (tmp_path / "b.png").read_bytes()
    assert written[HEADER : HEADER + len(chunks)] == chunks
    assert written[HEADER + len(chunks) :][4:8] == b"IDAT"
    if means_srgb:
        denoised(tmp_path / "a.png", tmp_path / "b.tif")
    else:
        with pytest.raises(
            MidError, match="cannot hold the colour space of its chunks"
        ):
            denoised(tmp_path / "a.png", tmp_path / "b.tif")


def test_a_profile_beside_chunks_goes_before_them(tmp_path):
    icc = told_profile(photo_exif(0xFFFF, "R03"))
    save_pillow(tmp_path / "a.png", noise(3), icc_profile=icc)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[:HEADER] + GAMMA_1 + data[HEADER:])
    denoised(tmp_path / "a.png", tmp_path / "b.tif")
    assert files.read(tmp_path / "b.tif").icc == icc


def test_exif_that_a_type_cannot_hold_is_refused_with_the_way_out(tmp_path):
    save_photo(tmp_path / "a.jpg")
    with pytest.raises(
        MidError, match=r"cannot hold EXIF; .* leave it out by --no-meta"
    ):
        denoised(tmp_path / "a.jpg", tmp_path / "b.bmp")


def test_the_scale_of_a_microscope_stays(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.stack([noise(1, "uint16")] * 2),
        imagej=True,
        resolution=(15.5, 15.5),
        metadata={"axes": "TYX", "unit": "um", "finterval": 0.5},
    )
    pages = [files.read(tmp_path / "a.tif", i) for i in range(2)]
    images = [([page.rows(0, HEIGHT)], page) for page in pages]
    files.write_pages(tmp_path / "b.tif", images, 2)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.imagej_metadata["unit"] == "um"
        assert file.imagej_metadata["finterval"] == 0.5
        assert file.pages[0].tags["ResolutionUnit"].value == 1
        assert file.pages[0].get_resolution() == pytest.approx((15.5, 15.5))
        np.testing.assert_array_equal(file.asarray()[1], noise(1, "uint16"))
    assert files.header(tmp_path / "b.tif").pages == (0, 1)


def test_what_is_lost_is_named(tmp_path):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
    save_pillow(tmp_path / "a.jpg", noise(3), xmp=xmp)
    assert files.read(tmp_path / "a.jpg").lost == ("XMP",)
    tifffile.imwrite(tmp_path / "a.ome.tif", noise(1), ome=True)
    picture = files.read(tmp_path / "a.ome.tif")
    assert picture.lost == ("OME's text",)
    save_tiff(
        tmp_path / "b.tif", noise(3), extratags=[(318, "2I", 2, (3, 10, 3, 10), True)]
    )
    assert "318" in files.read(tmp_path / "b.tif").lost[0]


def test_a_long_tiff_keeps_texts_without_directories(tmp_path, monkeypatch):
    save_photo(tmp_path / "a.jpg")
    monkeypatch.setattr(tiff, "_PLAIN_BYTES", 0)
    denoised(tmp_path / "a.jpg", tmp_path / "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.is_bigtiff
        assert file.pages[0].tags["Model"].value == "EOS R5"
