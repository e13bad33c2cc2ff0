"""Decode and encode each file type: samples, EXIF orientation, ICC profile, dpi.

Pillow decodes 8-bit files, tifffile every TIFF, and imagecodecs 16-bit PNG, which
Pillow cuts to 8 bits. A file is decoded whole or refused.
"""

import struct
import threading
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from mid_core.errors import MidError

# 30 000 x 30 000 is read; a header that claims more is taken for damage or an attack.
MAX_PIXELS = 1_000_000_000

_PILLOW_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
_TIFF_KINDS = ("8-bit uint8", "16-bit uint16", "32-bit float32")
_opening = threading.Lock()

# A decoder gives samples (H, W, 1 to 4), EXIF orientation, ICC profile and dpi.
Stored = tuple[np.ndarray, int, bytes | None, tuple[float, float] | None]


def decode(path: Path) -> Stored:
    """Decode a file by its content, whatever its suffix.

    Raises MidError for what is not read; damage raises whatever a decoder raises.
    """
    with path.open("rb") as file:
        is_tiff = file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    return _load_tiff(path) if is_tiff else _load_other(path)


def _refuse_if(is_bad: bool, path: Path, reason: str) -> None:
    if is_bad:
        raise MidError(
            f"{path} is not read because {reason}: convert it to one 8-bit, 16-bit or "
            "float32 image in grey or RGB, or leave it out."
        )


def _refuse_if_huge(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise MidError(
            f"{path} has {width} x {height} pixels, over the limit of {MAX_PIXELS}: "
            "cut it into parts, or leave it out if that cannot be."
        )


def _load_other(path: Path) -> Stored:
    # Pillow's limit is global and below large photographs: lifted to read the header.
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(path, formats=_PILLOW_FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    with image:
        data = path.read_bytes()
        is_jpeg = image.format in ("JPEG", "MPO")
        # Pillow would cut the 16 bits of a colour PNG to 8.
        is_deep = image.format == "PNG" and data[24] == 16
        # The other images of an MPO are a phone's previews and gain maps.
        frames = 1 if is_jpeg else getattr(image, "n_frames", 1)
        mode_known = is_deep or image.mode in ("L", "LA", "RGB", "RGBA", "P", "PA")
        _refuse_if(frames > 1, path, f"it holds {frames} images")
        _refuse_if(not mode_known, path, f"its mode is {image.mode}")
        _refuse_if_huge(path, image.width, image.height)
        # The zeros at the end of a broken download would decode as grey.
        if is_jpeg and data.find(b"\xff\xd9", image.fp.tell()) < 0:
            raise ValueError("it has no end marker")
        if is_deep:
            samples = imagecodecs.png_decode(data)
        else:
            mode = "L" if image.mode in ("L", "LA") else "RGB"
            mode += "A" * image.has_transparency_data
            samples = np.asarray(image.convert(mode))
        turn = image.getexif().get(274, 1)
        icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
    return samples.reshape(*samples.shape[:2], -1), turn, icc, dpi


def _load_tiff(path: Path) -> Stored:
    with tifffile.TiffFile(path) as tiff:
        page, tags = tiff.pages[0], tiff.pages[0].tags
        is_stack = any(not other.is_reduced for other in tiff.pages[1:])
        is_stack |= tiff.series[0].size != page.size
        _refuse_if(
            is_stack or page.axes not in ("YX", "YXS", "SYX"), path, "it is a stack"
        )
        _refuse_if_huge(path, page.imagewidth, page.imagelength)
        colours = _tiff_colours(page)
        _refuse_if(not colours, path, f"its colours are {page.photometric!r}")
        extras = page.samplesperpixel - colours
        is_plain = extras == 0 or (extras == 1 and page.extrasamples == (2,))
        _refuse_if(not is_plain, path, "it has channels beside colour and plain alpha")
        is_palette = page.photometric == tifffile.PHOTOMETRIC.PALETTE
        kind = f"{page.bitspersample}-bit {page.dtype}"
        kind_known = kind in _TIFF_KINDS or (is_palette and page.bitspersample <= 8)
        _refuse_if(not kind_known, path, f"its samples are {kind}")
        # Some codecs fill up a strip that ends early.
        ends = np.add(page.dataoffsets, page.databytecounts)
        if 0 in page.databytecounts or ends.max() > tiff.filehandle.size:
            raise ValueError("pixels are missing")
        samples = page.asarray()
        if is_palette:
            samples = (page.colormap.T >> 8).astype(np.uint8)[samples.astype(np.uint8)]
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        has_unit = tags.valueof("ResolutionUnit") in (2, 3)
        dpi = page.get_resolution("INCH") if has_unit else None
        turn, icc = tags.valueof("Orientation", 1), tags.valueof("InterColorProfile")
    return samples.reshape(*samples.shape[:2], -1), turn, icc, dpi


def _tiff_colours(page: tifffile.TiffPage) -> int:
    """Colour channels of a page, 0 where its colours are not read."""
    photometric = tifffile.PHOTOMETRIC
    # tifffile gives RGB for YCbCr under JPEG, and YCbCr as it is otherwise.
    is_jpeg = page.compression == tifffile.COMPRESSION.JPEG
    colours = {photometric.MINISBLACK: 1, photometric.PALETTE: 1, photometric.RGB: 3}
    return (colours | {photometric.YCBCR: 3 * is_jpeg}).get(page.photometric, 0)


def encode(
    path: Path,
    samples: np.ndarray,
    icc: bytes | None,
    dpi: tuple[float, float] | None,
) -> None:
    """Write (H, W) or (H, W, 2 to 4) samples in the format of the path's suffix."""
    channels = samples.shape[2] if samples.ndim == 3 else 1
    if path.suffix in (".tif", ".tiff"):
        tifffile.imwrite(
            path,
            samples,
            photometric="rgb" if channels >= 3 else "minisblack",
            extrasamples=["unassalpha"] if channels in (2, 4) else None,
            compression="zlib",
            predictor=True,
            metadata=None,
            iccprofile=icc,
            resolution=dpi,
            resolutionunit="INCH" if dpi else None,
        )
    elif samples.dtype == np.uint16:
        path.write_bytes(_with_chunks(imagecodecs.png_encode(samples), icc, dpi))
    else:
        # Each format takes its own options. Full chroma keeps denoised colours
        # sharp; `exact` keeps the colours below transparent pixels.
        options = {"quality": 95, "subsampling": 0, "lossless": True, "exact": True}
        options |= {"icc_profile": icc} | ({"dpi": dpi} if dpi else {})
        Image.fromarray(samples).save(path, **options)


def _with_chunks(
    png: bytes, icc: bytes | None, dpi: tuple[float, float] | None
) -> bytes:
    """Put profile and resolution behind a PNG's header (PNG 1.2, 4.2.2 and 4.2.4)."""
    chunks = b""
    if icc:
        chunks += _chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc))
    if dpi:
        x, y = (round(dots / 0.0254) for dots in dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", x, y, 1))
    return png[:33] + chunks + png[33:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
