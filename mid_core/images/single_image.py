"""Decode and encode PNG by imagecodecs, and JPEG, BMP and WebP by Pillow.

Pillow would cut a PNG's 16 bits to 8, and take 4 bytes for 3 colours. Beside the
samples, memory holds what is encoded of a PNG, compressed; of the others the whole
image once more, with four bytes a pixel in colour and one in grey.
"""

import io
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image

from mid_core.images.formats import refuse_if, refuse_if_huge
from mid_core.images.picture import Header, Picture, upright, upright_size
from mid_core.images.scratch import Space

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
# Pillow's mode of a PNG of 16-bit greys is one of the last two.
_MODES = ("L", "LA", "RGB", "RGBA", "P", "PA", "I", "I;16")
_JPEG_END = b"\xff\xd9"
_BAND_ROWS = 256
# The chunks of a PNG that may tell an orientation, by EXIF or by XMP.
_TEXTS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")

# Pillow's own limit is below large photographs; `refuse_if_huge` takes its place.
Image.MAX_IMAGE_PIXELS = None


def header(path: Path) -> Header:
    """Read the size; raises as `decode` does, but not for damaged pixels."""
    with _opened(path) as image:
        turn = _orientation(path, image)
        return Header(upright_size(image.height, image.width, turn), (0,))


def decode(path: Path, space: Space) -> Picture:
    """Decode into an array that `space` makes; palettes become colours.

    Raises MidError for what is not read; damage raises whatever a decoder raises.
    """
    with _opened(path) as image:
        # The zeros at the end of a broken download would decode as grey.
        if _is_jpeg(image) and path.read_bytes().find(_JPEG_END, image.fp.tell()) < 0:
            raise ValueError("it has no end marker")
        if image.format == "PNG":
            samples = _png_samples(path, image.has_transparency_data, space)
        else:
            samples = _samples(image, space)
        turn = _orientation(path, image)
        return upright(
            samples, turn, image.info.get("icc_profile"), image.info.get("dpi")
        )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a file by Pillow, and refuse what its header shows to be unfit."""
    with Image.open(path, formats=_FORMATS) as image:
        # The other images of an MPO are a phone's previews and gain maps.
        frames = 1 if _is_jpeg(image) else getattr(image, "n_frames", 1)
        refuse_if(frames > 1, path, f"it holds {frames} images")
        refuse_if(image.mode not in _MODES, path, f"its mode is {image.mode}")
        refuse_if_huge(path, image.width, image.height)
        yield image


def _is_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO")


def _samples(image: Image.Image, space: Space) -> np.ndarray:
    """Convert by bands: Pillow would need several copies of the whole."""
    mode = "L" if image.mode == "L" else "RGB" + "A" * image.has_transparency_data
    samples = space((image.height, image.width, len(mode)), np.uint8)
    for top in range(0, image.height, _BAND_ROWS):
        rows = samples[top : top + _BAND_ROWS]
        part = image.crop((0, top, image.width, top + len(rows)))
        rows[:] = np.asarray(part.convert(mode)).reshape(rows.shape)
    return samples


def _png_samples(path: Path, has_alpha: bool, space: Space) -> np.ndarray:
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    # PNG 1.2, 4.1.1: 2 stands for colour, palettes have it, too.
    channels = (3 if kind & 2 else 1) + has_alpha
    shape = (height, width, channels) if channels > 1 else (height, width)
    out = space(shape, np.uint16 if depth == 16 else np.uint8)
    return imagecodecs.png_decode(data, out=out).reshape(height, width, channels)


def _orientation(path: Path, image: Image.Image) -> int:
    """Give the EXIF orientation; in a PNG it may stand behind the pixels."""
    if image.format != "PNG":
        return image.getexif().get(274, 1)
    # Pillow decodes the pixels to see what stands behind them: it gets a single one.
    size = struct.pack(">II5B", 1, 1, 8, 0, 0, 0, 0)
    pixel = _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(bytes(2)))
    with path.open("rb") as file:
        small = file.read(8) + pixel + b"".join(_texts(file)) + _chunk(b"IEND", b"")
    with Image.open(io.BytesIO(small), formats=["PNG"]) as tiny:
        return tiny.getexif().get(274, 1)


def _texts(file: BinaryIO) -> Iterator[bytes]:
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind in _TEXTS:
            yield start + file.read(length + 4)
        else:
            file.seek(length + 4, os.SEEK_CUR)


def encode(path: Path, samples: np.ndarray, like: Picture) -> None:
    """Write samples (H, W) or (H, W, 2 to 4) in the format of the path's suffix."""
    if path.suffix == ".png":
        _encode_png(path, samples, like)
        return
    # Each format takes its own options. Full chroma keeps denoised colours sharp;
    # `exact` keeps the colours below transparent pixels.
    options = {"quality": 95, "subsampling": 0, "lossless": True, "exact": True}
    options |= {"icc_profile": like.icc} | ({"dpi": like.dpi} if like.dpi else {})
    Image.fromarray(samples).save(path, **options)


def _encode_png(path: Path, samples: np.ndarray, like: Picture) -> None:
    data = memoryview(imagecodecs.png_encode(samples))
    with path.open("wb") as file:
        # The two follow the header: PNG 1.2, 4.2.2 and 4.2.4.
        file.write(data[:33])
        if like.icc:
            file.write(_chunk(b"iCCP", b"icc\0\0" + zlib.compress(like.icc)))
        if like.dpi:
            x, y = (round(dots / 0.0254) for dots in like.dpi)
            file.write(_chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
        file.write(data[33:])


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
