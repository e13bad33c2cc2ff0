"""Image files as a stranger may send them: bombs, lies and damage."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from tests.damaged_files import BOMB, pickled

SECRET = Path("/etc/passwd")
ROWS = bytes(7 * (1 + 3 * 9))
# What a file holds, or what makes it.
Make = bytes | Callable[[Path], object]


@cache
def zeros() -> bytes:
    """A bomb of zeros, deflated piece by piece."""
    deflate = zlib.compressobj()
    pieces = [deflate.compress(bytes(2**20)) for _ in range(BOMB >> 20)]
    return b"".join([*pieces, deflate.flush()])


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG (PNG 1.2, section 3.2)."""
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def png(width: int, height: int, *chunks: bytes, rows: bytes = ROWS) -> bytes:
    """A PNG in colour, whose rows need not be as many as it says."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + body


def packed(kind: bytes, start: bytes) -> Callable[[Path], object]:
    """Write a small PNG with a chunk that unpacks to a bomb."""
    return lambda path: path.write_bytes(png(9, 7, chunk(kind, start + zeros())))


def tiff(tags: dict[int, int], following: int = 0, data: bytes = bytes(999)) -> bytes:
    """A little-endian TIFF with a directory of 32-bit numbers (TIFF 6.0, section 2)."""
    entries = [struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags)]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    return head + b"".join(entries) + struct.pack("<I", following) + data


def grey(width: int = 9, height: int = 7, changes: dict | None = None, **rest) -> bytes:
    """A TIFF of 8-bit greys in one strip of 63 bytes, behind its directory."""
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1, 278: height}
    return tiff(tags | {273: 200, 279: 63} | (changes or {}), **rest)


def deflated(path: Path) -> None:
    """A TIFF whose strip unpacks to a bomb."""
    data = zeros()
    path.write_bytes(grey(changes={259: 8, 273: 122, 279: len(data)}, data=data))


def wide_strip(path: Path) -> None:
    """A BigTIFF whose strip is said to have 2^40 bytes."""
    tifffile.imwrite(path, np.zeros((9, 7), np.uint8), bigtiff=True, metadata=None)
    with tifffile.TiffFile(path) as content:
        tag = content.pages[0].tags[279].offset
    data = bytearray(path.read_bytes())
    # Tag, type 16 for 64 bits, one number, which stands here.
    data[tag : tag + 20] = struct.pack("<HHQQ", 279, 16, 1, 2**40)
    path.write_bytes(data)


def floats(path: Path, value: float) -> None:
    samples = np.full((9, 7), 0.5, np.float32)
    samples[4, 3] = value
    tifffile.imwrite(path, samples)


def jpeg(path: Path, share: float) -> None:
    """The first part of a JPEG of 64 x 48 pixels, whatever the path's suffix says."""
    file = io.BytesIO()
    shades = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    Image.fromarray(shades).save(file, "JPEG")
    path.write_bytes(file.getvalue()[: int(share * len(file.getvalue()))])


PNGS: dict[str, Make] = {
    "claims 60 000 x 60 000": png(60_000, 60_000),
    "claims 30 000 x 30 000": png(30_000, 30_000),
    "claims 2^31 x 2^31": png(2**31 - 1, 2**31 - 1),
    "claims no pixel": png(0, 0),
    "a zTXt bomb": packed(b"zTXt", b"note\0\0"),
    "an iTXt bomb": packed(b"iTXt", b"note\0\1\0\0\0"),
    "a bomb of a profile": packed(b"iCCP", b"icc\0\0"),
    "an XMP bomb": packed(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"),
    "too few rows": png(9, 7, rows=ROWS[:-30]),
    "a chunk of 4 GB": png(9, 7)[:33] + b"\xff\xff\xff\xffIDAT",
    "a text of 2 GB": png(9, 7)[:33] + b"\x7f\xff\xff\xfftEXt",
    "half a jpeg": partial(jpeg, share=0.6),
    "a pickle": pickled,
    "nothing": b"",
    "a program for a printer": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "a drawing with a script": b"<svg><script>open('x')</script></svg>",
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to the users": lambda path: path.symlink_to(SECRET),
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
}
TIFFS: dict[str, Make] = {
    "claims 2^32 x 2^32": grey(2**32 - 1, 2**32 - 1),
    "claims 30 000 x 30 000": grey(30_000, 30_000),
    "a strip beyond its end": grey(changes={273: 2**31}),
    "a strip of 4 GB": grey(changes={279: 2**32 - 1}),
    "a strip of 2^40 bytes": wide_strip,
    "a strip that is a bomb": deflated,
    "two directories in a circle": grey(
        following=122, data=grey(5, 4, following=8)[8:]
    ),
    "no strip": tiff({256: 9, 257: 7}),
    "a directory beyond its end": b"II*\0\xff\xff\xff\x7f",
    "a BigTIFF beyond its end": b"II+\0\x08\0\0\0" + b"\xff" * 8,
    "NaN": partial(floats, value=np.nan),
    "infinity": partial(floats, value=-np.inf),
    "255 in floats": partial(floats, value=255.0),
}
NAMES = {
    "two lines": "a\nb.png",
    "steps upwards": "..\\..\\a.png",
    "an option": "--model=x.png",
    "a wildcard": "{variant}*.png",
}
IMAGES: dict[str, tuple[str, Make]] = {
    **{f"png: {what}": ("a.png", make) for what, make in PNGS.items()},
    **{f"tiff: {what}": ("a.tif", make) for what, make in TIFFS.items()},
    **{f"a name with {what}": (name, b"no image") for what, name in NAMES.items()},
}
# Odd, but images: each with its height and width.
HARMLESS: dict[str, tuple[Make, tuple[int, int]]] = {
    "a jpeg": (partial(jpeg, share=1), (48, 64)),
    "a directory that leads to itself": (grey(following=8), (7, 9)),
    "a program behind its end": (png(9, 7) + b"#!/bin/sh\ntouch executed\n", (7, 9)),
}


def put(path: Path, make: Make) -> None:
    """Write a file of these tables."""
    make(path) if callable(make) else path.write_bytes(make)
