"""What a file tells beside its pixels: EXIF, and colours told otherwise than by ICC."""

import struct
from collections.abc import Mapping

import imagecodecs
from PIL import Image
from PIL.ExifTags import IFD, Base

# Of the first directory; its other tags say how pixels are stored, or hold a thumbnail.
TEXTS = (
    *(Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime),
    *(Base.Artist, Base.Copyright),
)
# Of a scale without a unit, as microscopes have it.
_SCALE = (Base.XResolution, Base.YResolution, Base.ResolutionUnit)
# Chunks of a PNG that say what its colours mean (PNG 3, 11.3.2).
COLOUR_CHUNKS = (b"cICP", b"gAMA", b"cHRM", b"sRGB", b"mDCV", b"cLLI")
_SRGB_CICP = bytes([1, 13, 0, 1])
_SRGB_GAMMA = (45_455,)
_SRGB_XY = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)


# What Pillow raises on damaged tags.
_DAMAGE = (ValueError, TypeError, LookupError, OSError, struct.error, ZeroDivisionError)


def exif_bytes(
    exif: Image.Exif, height: int, width: int, texts: tuple[int, ...] = TEXTS
) -> tuple[bytes | None, tuple[str, ...]]:
    """Give what is kept of EXIF, as a JPEG has it, and what is lost of it.

    The image is upright, and of this size. `texts` are kept of the first directory.
    """
    try:
        kept = _kept(exif, height, width, texts)
        return (kept.tobytes() if len(kept) else None), ()
    except _DAMAGE:
        return None, ("damaged EXIF",)


def _kept(
    exif: Image.Exif, height: int, width: int, texts: tuple[int, ...]
) -> Image.Exif:
    kept = Image.Exif()
    # Makers' notes rely on it.
    kept.endian = exif.endian
    kept.update({tag: exif[tag] for tag in texts if tag in exif})
    if exif.get(Base.ResolutionUnit) == 1:
        kept.update({tag: exif[tag] for tag in _SCALE if tag in exif})
    if gps := exif.get_ifd(IFD.GPSInfo):
        kept[IFD.GPSInfo] = gps
    if camera := dict(exif.get_ifd(IFD.Exif)):
        if IFD.Interop in camera:
            camera[IFD.Interop] = exif.get_ifd(IFD.Interop)
        if Base.ExifImageWidth in camera:
            camera |= {Base.ExifImageWidth: width, Base.ExifImageHeight: height}
        kept[IFD.Exif] = camera
    return kept


def told_profile(exif: Image.Exif) -> bytes | None:
    """Give the ICC profile of Adobe RGB where EXIF tells it, as cameras write it."""
    try:
        space = exif.get_ifd(IFD.Exif).get(Base.ColorSpace)
        index = str(exif.get_ifd(IFD.Interop).get(1, ""))
    except _DAMAGE:
        return None
    # DCF 2.0 has the index; the number 2 is in use for the same.
    is_adobe = space == 2 or (space == 0xFFFF and index.startswith("R03"))
    return imagecodecs.cms_profile("adobergb") if is_adobe else None


def means_srgb(chunks: Mapping[bytes, bytes]) -> bool:
    """Whether a PNG's chunks (by kind) tell nothing but sRGB, as no chunks do."""
    if b"cICP" in chunks:
        return chunks[b"cICP"] == _SRGB_CICP
    if b"sRGB" in chunks:
        return True
    return _near(chunks.get(b"gAMA"), _SRGB_GAMMA) and _near(
        chunks.get(b"cHRM"), _SRGB_XY
    )


def _near(data: bytes | None, expected: tuple[int, ...]) -> bool:
    """Whether numbers are the expected ones to 1 %, or not told."""
    if data is None:
        return True
    if len(data) != 4 * len(expected):
        return False
    found = struct.unpack(f">{len(expected)}I", data)
    return all(abs(a - b) <= b / 100 for a, b in zip(found, expected, strict=True))
