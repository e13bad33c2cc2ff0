"""MAT files, models and configs as a stranger may send them, and code in disguise."""

import json
import pickle
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import torch
from safetensors.torch import save

CANARY = "executed"
BOMB = 2**27
PHOTO = "InoisySRGB"


class Evil:
    """Touches a file where it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.canary = folder / CANARY

    def __reduce__(self):
        return (Path.touch, (self.canary,))


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Evil(path.parent)))


def numpy_object(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Evil(path.parent)], object))


def torch_pickle(path: Path) -> None:
    torch.save({"weights": Evil(path.parent)}, path)


# MAT files of version 5: elements of type, length and data, aligned to 8 bytes.

HEAD = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
CELL, SINGLE = 1, 7


def element(kind: int, data: bytes, length: int | None = None) -> bytes:
    count = len(data) if length is None else length
    return struct.pack("<II", kind, count) + data + b"\0" * (-len(data) % 8)


def variable(content: bytes, shape=(4, 4, 3), kind=SINGLE, name=PHOTO) -> bytes:
    body = element(6, struct.pack("<II", kind, 0))
    body += element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, body + element(1, name.encode()) + content)


def samples(count: int = 48) -> bytes:
    return element(7, bytes(4 * count))


def deflated(start: bytes, bomb: int = 0) -> bytes:
    """An element that unpacks to these bytes and so many zeros."""
    deflate = zlib.compressobj()
    pieces = [deflate.compress(start)]
    pieces += [deflate.compress(bytes(2**20)) for _ in range(bomb >> 20)]
    data = b"".join([*pieces, deflate.flush()])
    return struct.pack("<II", 15, len(data)) + data


def cells(depth: int) -> bytes:
    """A cell in a cell in a cell, each with nothing else."""
    body = element(6, struct.pack("<II", CELL, 0))
    body += element(5, struct.pack("<ii", 1, 1)) + element(1, b"")
    inner = variable(samples(1), (1, 1), name="")
    levels = range(depth)
    lengths = [len(inner) + len(body) + level * (len(body) + 8) for level in levels]
    outer = [struct.pack("<II", 14, length) + body for length in reversed(lengths)]
    return variable(b"".join([*outer, inner]), (1, 1), CELL)


def long_name() -> bytes:
    body = element(6, struct.pack("<II", SINGLE, 0))
    body += element(5, struct.pack("<iii", 4, 4, 3)) + struct.pack("<II", 1, BOMB)
    return deflated(struct.pack("<II", 14, 2 * BOMB) + body, BOMB)


def many_samples() -> bytes:
    honest = variable(struct.pack("<II", 7, BOMB))
    return deflated(honest, BOMB)


def object_array(path: Path) -> None:
    evil = np.array([[Evil(path.parent), "x"]], object)
    pickled_text = np.frombuffer(pickle.dumps(evil), np.uint8)
    cells = np.array([[pickled_text, "x"]], object)
    with path.open("wb") as file:
        scipy.io.savemat(file, {PHOTO: cells})


# MAT files of version 7.3 are HDF5.


def hdf5(path: Path, fill: Callable[[h5py.File], object]) -> None:
    with h5py.File(path, "w") as file:
        fill(file)


def claimed(file: h5py.File, side: int) -> None:
    file.create_dataset(PHOTO, (3, side, side), "f4", chunks=(3, 64, 64))


def outside(file: h5py.File) -> None:
    size = 3 * 4 * 4 * 4
    file.create_dataset(PHOTO, (3, 4, 4), "f4", external=[("/etc/passwd", 0, size)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 4, 4), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 4, 4))
    file.create_virtual_dataset(PHOTO, layout)


def linked(file: h5py.File, link: object) -> None:
    file[PHOTO] = link


def texts(file: h5py.File) -> None:
    file.create_dataset(PHOTO, (3, 4, 4), h5py.string_dtype())


MATS: dict[str, bytes | Callable[[Path], object]] = {
    "claims 2^31 x 2^31": HEAD + variable(samples(), (2**31 - 1, 2**31 - 1, 3)),
    "claims 20 000 x 20 000": HEAD + variable(samples(), (20_000, 20_000, 3)),
    "claims less than nothing": HEAD + variable(samples(), (-4, -4, 3)),
    "claims it, packed": HEAD + deflated(variable(samples(), (10**5, 10**5, 3))),
    "a cell in a cell": HEAD + variable(samples(1), (1, 1), CELL),
    "100 000 cells in each other": lambda p: p.write_bytes(HEAD + cells(100_000)),
    "cells beside what they hide": HEAD + cells(9) + variable(samples()),
    "pickled objects": object_array,
    "a name that is a bomb": lambda p: p.write_bytes(HEAD + long_name()),
    "samples that are a bomb": lambda p: p.write_bytes(HEAD + many_samples()),
    "cut short": (HEAD + variable(samples()))[:-40],
    "a head only": HEAD,
    "a web page": b"<!DOCTYPE html><title>Sign in</title>",
    "a pickle": pickled,
    "7.3, link to the users": partial(
        hdf5, fill=partial(linked, link=h5py.ExternalLink("/etc/passwd", "/x"))
    ),
    "7.3, link by name": partial(
        hdf5, fill=partial(linked, link=h5py.SoftLink("/etc/passwd"))
    ),
    "7.3, link to itself": partial(
        hdf5, fill=partial(linked, link=h5py.SoftLink(f"/{PHOTO}"))
    ),
    "7.3, samples in another file": partial(hdf5, fill=outside),
    "7.3, virtual samples": partial(hdf5, fill=virtual),
    "7.3, claims 10^4 x 10^4": partial(hdf5, fill=partial(claimed, side=10**4)),
    "7.3, claims 10^6 x 10^6": partial(hdf5, fill=partial(claimed, side=10**6)),
    "7.3, texts": partial(hdf5, fill=texts),
    "7.3, nothing": partial(hdf5, fill=len),
    "7.3, damaged": b"\x89HDF\r\n\x1a\n" + b"\xff" * 600,
    "a folder": Path.mkdir,
}

# Models: a length, that many bytes of JSON, and the weights' bytes.

CARD = {
    "network": {
        "name": "nafnet",
        "width": 1,
        "encoder": [],
        "middle": 0,
        "decoder": [],
    },
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


def model(**changes) -> bytes:
    """A model of four weights, whose card need not be true."""
    return save(WEIGHTS, metadata={"mid": json.dumps(CARD | changes)})


def network(**changes) -> bytes:
    return model(network=CARD["network"] | changes)


def headed(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


MODELS: dict[str, bytes | Callable[[Path], object]] = {
    "a pickle": pickled,
    "a torch pickle": torch_pickle,
    "a numpy array of objects": numpy_object,
    "an empty file": b"",
    "a header of 2^60 bytes": headed(b"{}", 2**60),
    "a header of 200 MB": lambda p: p.write_bytes(headed(b" " * (2 * 10**8))),
    "wrong JSON": headed(b'{"a": '),
    "a weight beyond its end": headed(
        b'{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}'
    ),
    "weights that overlap": headed(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        b'"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    )
    + bytes(4),
    "no card": save(WEIGHTS),
    "a card that is no JSON": save(WEIGHTS, metadata={"mid": "{"}),
    "a card that is a list": save(WEIGHTS, metadata={"mid": "[]"}),
    "a card nested 100 000 times": save(WEIGHTS, metadata={"mid": "[" * 100_000}),
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
