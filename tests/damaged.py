"""Files as a stranger may send them: damaged, lying about their size, code in disguise.

Each table maps what is wrong to the bytes of a file, or to what makes it at a path.
"""

import io
import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import h5py
import numpy as np
import tifffile
import torch
from PIL import Image
from safetensors.torch import save

Make = bytes | Callable[[Path], object]
CANARY, PHOTO, SECRET = "executed", "InoisySRGB", "/etc/passwd"
ROWS = bytes(7 * (1 + 3 * 9))


class Evil:
    """Touches a file where it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.canary = folder / CANARY

    def __reduce__(self):
        return (Path.touch, (self.canary,))


def put(path: Path, make: Make) -> None:
    make(path) if callable(make) else path.write_bytes(make)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Evil(path.parent)))


@cache
def bomb() -> bytes:
    """128 MB of zeros, deflated."""
    return zlib.compress(bytes(2**27), 1)


# MAT files of version 5: elements of type, length and data, aligned to 8 bytes.

HEAD = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
CELL, SINGLE = 1, 7


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def variable(content: bytes, shape=(4, 4, 3), kind=SINGLE, name=PHOTO) -> bytes:
    body = element(6, struct.pack("<II", kind, 0))
    body += element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, body + element(1, name.encode()) + content)


def samples(count: int = 48) -> bytes:
    return element(7, bytes(4 * count))


def hdf5(fill: Callable[[h5py.File], object]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            fill(file)

    return make


def dataset(*form, **options) -> Callable[[Path], None]:
    return hdf5(lambda file: file.create_dataset(PHOTO, *form, **options))


def linked(link: object) -> Callable[[Path], None]:
    return hdf5(lambda file: file.__setitem__(PHOTO, link))


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 4, 4), "f4")
    layout[:] = h5py.VirtualSource(SECRET, "x", (3, 4, 4))
    file.create_virtual_dataset(PHOTO, layout)


MATS: dict[str, Make] = {
    "claims 2^31 x 2^31": HEAD + variable(samples(), (2**31 - 1, 2**31 - 1, 3)),
    "claims 20 000 x 20 000": HEAD + variable(samples(), (20_000, 20_000, 3)),
    "claims less than nothing": HEAD + variable(samples(), (-4, -4, 3)),
    "claims it, packed": HEAD
    + element(15, zlib.compress(variable(samples(), (10**5, 10**5, 3)))),
    "a cell": HEAD + variable(samples(1), (1, 1), CELL),
    "cut short": (HEAD + variable(samples()))[:-40],
    "a head only": HEAD,
    "a pickle": pickled,
    "7.3, link to the users": linked(h5py.ExternalLink(SECRET, "/x")),
    "7.3, link to itself": linked(h5py.SoftLink(f"/{PHOTO}")),
    "7.3, another file": dataset((3, 4, 4), "f4", external=[(SECRET, 0, 192)]),
    "7.3, virtual samples": hdf5(virtual),
    "7.3, claims 10^6 x 10^6": dataset((3, 10**6, 10**6), "f4", chunks=(3, 64, 64)),
    "7.3, texts": dataset((3, 4, 4), h5py.string_dtype()),
    "7.3, nothing": hdf5(len),
    "7.3, damaged": b"\x89HDF\r\n\x1a\n" + b"\xff" * 600,
    "a folder": Path.mkdir,
}

# Models: a length, that many bytes of JSON, and the weights' bytes.

NETWORK = {"name": "nafnet", "width": 1, "encoder": [], "middle": 0, "decoder": []}
CARD = {
    "network": NETWORK,
    "masking": {"mask_ratio": 0.5},
    "patch_size": 16,
    "channels": 3,
}
WEIGHTS = {
    "intro.weight": torch.ones(1, 3, 3, 3),
    "intro.bias": torch.zeros(1),
    "ending.weight": torch.ones(3, 1, 3, 3),
    "ending.bias": torch.zeros(3),
}


def carded(card: str) -> bytes:
    return save(WEIGHTS, metadata={"mid": card})


def model(**changes) -> bytes:
    """A model of four weights, whose card need not be true."""
    return carded(json.dumps(CARD | changes))


def network(**changes) -> bytes:
    return model(network=NETWORK | changes)


def headed(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


def listed(*names: str, end: int) -> bytes:
    """A header of weights that all lie from 0 to ``end``."""
    weight = {"dtype": "F32", "shape": [end // 4], "data_offsets": [0, end]}
    return headed(json.dumps(dict.fromkeys(names, weight)).encode())


MODELS: dict[str, Make] = {
    "a pickle": pickled,
    "a torch pickle": lambda p: torch.save({"weights": Evil(p.parent)}, p),
    "an empty file": b"",
    "a header of 2^60 bytes": headed(b"{}", 2**60),
    "a header of 200 MB": lambda p: p.write_bytes(headed(b" " * (2 * 10**8))),
    "wrong JSON": headed(b'{"a": '),
    "a weight beyond its end": listed("a", end=4 * 10**9),
    "weights that overlap": listed("a", "b", end=4) + bytes(4),
    "no card": save(WEIGHTS),
    "a card that is no JSON": carded("{"),
    "a card that is a list": carded("[]"),
    "a card nested 100 000 times": carded("[" * 100_000),
    "a width of 10^9": network(width=10**9),
    "a width of 10^4": network(width=10**4),
    "a width of -1": network(width=-1),
    "10^9 blocks": network(middle=10**9),
    "10^9 blocks and as many less": network(middle=10**9, pixel_unshuffle=-(10**9)),
    "900 levels": network(encoder=[0] * 900, decoder=[0] * 900),
    "10^9 channels": model(channels=10**9),
    "a network that is unknown": network(name="os.system"),
    "a setting that is unknown": network(device="touch executed"),
    "a ratio that is text": model(masking={"mask_ratio": "much"}),
    "a ratio above 1": model(masking={"mask_ratio": 7}),
    "a patch that is text": model(patch_size="__import__('os')"),
}


# Images: PNG (1.2, section 3.2) and TIFF (6.0, section 2).


def chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def png(width: int, height: int, *chunks: bytes, rows: bytes = ROWS) -> bytes:
    """A PNG in colour, whose rows need not be as many as it says."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + body


def packed(kind: bytes, start: bytes) -> Make:
    """A small PNG with a chunk that unpacks to a bomb."""
    return lambda path: path.write_bytes(png(9, 7, chunk(kind, start + bomb())))


def tiff(tags: dict[int, int], following: int = 0, data: bytes = bytes(999)) -> bytes:
    """A little-endian TIFF with a directory of 32-bit numbers."""
    entries = [struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags)]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    return head + b"".join(entries) + struct.pack("<I", following) + data


def grey(width: int = 9, height: int = 7, changes: dict | None = None, **rest) -> bytes:
    """A TIFF of 8-bit greys in one strip of 63 bytes, behind its directory."""
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1, 278: height}
    return tiff(tags | {273: 200, 279: 63} | (changes or {}), **rest)


def packed_strip(path: Path) -> None:
    changes = {259: 8, 273: 122, 279: len(bomb())}
    path.write_bytes(grey(changes=changes, data=bomb()))


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
    "a strip that is a bomb": packed_strip,
    "directories in a circle": grey(following=122, data=grey(5, 4, following=8)[8:]),
    "no strip": tiff({256: 9, 257: 7}),
    "a directory beyond its end": b"II*\0\xff\xff\xff\x7f",
    "a BigTIFF beyond its end": b"II+\0\x08\0\0\0" + b"\xff" * 8,
    "NaN": partial(floats, value=np.nan),
    "infinity": partial(floats, value=-np.inf),
    "255 in floats": partial(floats, value=255.0),
}
NAMES = ("a\nb.png", "..\\..\\a.png", "--model=x.png", "{variant}*.png")
IMAGES: dict[str, tuple[str, Make]] = {
    **{f"png: {what}": ("a.png", make) for what, make in PNGS.items()},
    **{f"tiff: {what}": ("a.tif", make) for what, make in TIFFS.items()},
    **{f"the name {name!r}": (name, b"no image") for name in NAMES},
}
# Odd, but images: each with its height and width.
HARMLESS: dict[str, tuple[Make, tuple[int, int]]] = {
    "an honest one": (png(9, 7), (7, 9)),
    "a jpeg": (partial(jpeg, share=1), (48, 64)),
    "a directory that leads to itself": (grey(following=8), (7, 9)),
    "a program behind its end": (png(9, 7) + b"#!/bin/sh\ntouch executed\n", (7, 9)),
}
