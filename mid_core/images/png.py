"""PNG by imagecodecs: Pillow cuts 16 bits to 8, and takes 4 bytes for 3 colours."""

import io
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image

from mid_core.images.scratch import Space

# Of a colour type; palettes have it, too.
_COLOUR = 2
# The chunks that may tell an orientation, by EXIF or by XMP.
_TEXTS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")


def decode(path: Path, has_alpha: bool, space: Space) -> np.ndarray:
    """Give the samples, uint8 or uint16, palettes as colours, in an array of `space`.

    Damage raises whatever imagecodecs raises.
    """
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    channels = (3 if kind & _COLOUR else 1) + has_alpha
    shape = (height, width, channels) if channels > 1 else (height, width)
    out = space(shape, np.uint16 if depth == 16 else np.uint8)
    return imagecodecs.png_decode(data, out=out).reshape(height, width, channels)


def orientation(path: Path) -> int:
    """Give the EXIF orientation, wherever in the file it stands."""
    # Pillow decodes the pixels to see what stands behind them: it gets a single one.
    size = struct.pack(">II5B", 1, 1, 8, 0, 0, 0, 0)
    pixel = _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(bytes(2)))
    with path.open("rb") as file:
        small = file.read(8) + pixel + b"".join(_texts(file)) + _chunk(b"IEND", b"")
    with Image.open(io.BytesIO(small), formats=["PNG"]) as image:
        return image.getexif().get(274, 1)


def _texts(file: BinaryIO) -> Iterator[bytes]:
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind in _TEXTS:
            yield start + file.read(length + 4)
        else:
            file.seek(length + 4, os.SEEK_CUR)


def encode(
    path: Path,
    samples: np.ndarray,
    icc: bytes | None,
    dpi: tuple[float, float] | None,
) -> None:
    """Write samples (H, W) or (H, W, 2 to 4), uint8 or uint16."""
    data = memoryview(imagecodecs.png_encode(samples))
    with path.open("wb") as file:
        # The two follow the header: PNG 1.2, 4.2.2 and 4.2.4.
        file.write(data[:33])
        if icc:
            file.write(_chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc)))
        if dpi:
            x, y = (round(dots / 0.0254) for dots in dpi)
            file.write(_chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
        file.write(data[33:])


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
