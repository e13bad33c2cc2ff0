"""One variable of a MATLAB file, with its axes in MATLAB's order.

MAT files of version 5 are MATLAB's own format ("MAT-File Format", The MathWorks): scipy
reads them. Those of version 7.3 are HDF5 behind a block of 512 bytes: h5py reads them.
HDF5's axes are the other way round, as its last one runs fastest and MATLAB's first.
"""

import math
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import h5py
import numpy as np
import scipy.io

from mid_config.walking import walk
from mid_core.errors import MidError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_NUMPY = {"single": "float32", "double": "float64"}
_REPLACE = "get the file from the data set's own site again"
# What a variable of version 5 may take in memory; those of our data sets take less.
_MOST_BYTES = 2**31
# Deflate, which both versions pack with, makes nothing smaller than this.
_MOST_PACKED = 1032
_LONGEST_NAME = 512
_loading = threading.Lock()


class Variable(NamedTuple):
    """What a variable must be: one of ``dtypes``, of ``shape``, None for any length."""

    name: str
    dtypes: tuple[str, ...]
    shape: tuple[int | None, ...]


def find_below(folder: Path, name: str) -> list[Path]:
    """List the files of a name at any depth, in any case, outside hidden folders."""
    return sorted(
        parent / file
        for parent, _, files in walk(folder)
        for file in files
        if file.lower() == name.lower()
    )


def check(path: Path, variable: Variable) -> tuple[int, ...]:
    """See that a file holds a variable as expected, without reading it.

    Returns
    -------
    Its shape, in MATLAB's order of axes.

    Raises
    ------
    MidError
        If the file is missing, empty, cut short, a web page or else no MAT file of
        version 5 or 7.3; if the variable is missing, of another shape or dtype, kept
        in another file, or claimed to be larger than the file can hold.
    """
    found = _contents(path)
    listed = ", ".join(
        f"{name} {shape} {kind}" for name, (shape, kind) in found.items()
    )
    shape, kind = found.get(variable.name, ((), ""))
    fits = len(shape) == len(variable.shape) and all(
        want in (None, have) for want, have in zip(variable.shape, shape, strict=True)
    )
    if not fits or kind not in variable.dtypes:
        lengths = ", ".join("any" if n is None else str(n) for n in variable.shape)
        raise MidError(
            f"{path} ({path.stat().st_size} bytes) holds {listed or 'no variable'}, "
            f"but expected is {variable.name} ({lengths}) "
            f"{' or '.join(variable.dtypes)}: {_REPLACE}"
        )
    size, claimed = path.stat().st_size, math.prod(shape) * np.dtype(kind).itemsize
    if claimed > min(_MOST_BYTES, _MOST_PACKED * size):
        raise MidError(
            f"{path} ({size} bytes) claims that {variable.name} {shape} takes {claimed} "
            f"bytes, which it cannot hold or nobody could: {_REPLACE}"
        )
    return shape


def read(path: Path, variable: Variable) -> np.ndarray:
    """Read a whole variable, read-only; the last two stay in memory, for all threads.

    Meant for arrays of blocks. The axes that count the blocks run fastest on disk, so
    that reading a single block takes as long as reading them all. Raises as `check`.
    """
    _version(path)
    status = path.stat()
    with _loading:
        return _load(path, variable, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: Path, variable: Variable, size: int, modified: int) -> np.ndarray:
    check(path, variable)
    with _refusing(path), path.open("rb") as file:
        if _version(path) == "5":
            array = scipy.io.loadmat(file, variable_names=variable.name)[variable.name]
        else:
            with h5py.File(file, "r") as content:
                array = content[variable.name][()].T
    array.flags.writeable = False
    return array


def read_part(path: Path, variable: Variable, part: tuple[slice, ...]) -> np.ndarray:
    """Read a part of a variable, a slice for each axis.

    Of a file of version 7.3, no more than that is read. Raises as `check`.
    """
    check(path, variable)
    if _version(path) == "5":
        return read(path, variable)[part]
    with _refusing(path), path.open("rb") as file, h5py.File(file, "r") as content:
        return content[variable.name][part[::-1]].T


def read_cells(path: Path, name: str) -> list[np.ndarray]:
    """Read the arrays of a struct array's field, as ``struct/field``, or of a cell.

    An empty array has shape (0,). Raises MidError if the file is missing, damaged, not
    of version 7.3, or has no such field.
    """
    if _version(path) != "7.3":
        raise MidError(f"{path} is of MAT version 5, expected is 7.3: {_REPLACE}")
    with _refusing(path), path.open("rb") as file, h5py.File(file, "r") as content:
        if name not in content:
            listed = ", ".join(sorted(content)) or "no variable"
            raise MidError(
                f"{path} ({path.stat().st_size} bytes) holds {listed}, but expected is "
                f"{name}: {_REPLACE}"
            )
        cells = [content[reference] for reference in content[name][()].ravel()]
        if not all(_is_own(node, content) for node in [content[name], *cells]):
            raise ValueError(f"{name} lies in another file")
        # MATLAB writes the shape of an empty array in its place.
        return [
            np.empty(0) if "MATLAB_empty" in cell.attrs else cell[()].T
            for cell in cells
        ]


def _contents(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Map the variables' names to shape and dtype; structs of version 7.3 left out."""
    version = _version(path)
    with _refusing(path), path.open("rb") as file:
        if version == "5":
            _check_variables(file, path.stat().st_size)
            file.seek(0)
            listed = scipy.io.whosmat(file)
            found = {name: (shape, _NUMPY.get(k, k)) for name, shape, k in listed}
            # The one that is read need not be the one that was looked at.
            if len(found) < len(listed):
                raise ValueError("it holds two variables of one name")
            return found
        with h5py.File(file, "r") as content:
            return {
                name: (node.shape[::-1], node.dtype.name)
                for name, node in content.items()
                if isinstance(node, h5py.Dataset) and _is_own(node, content)
            }


def _is_own(node: h5py.Dataset, content: h5py.File) -> bool:
    """Whether an array lies in the file itself, and in none of the reader's others."""
    return node.file == content and not (node.external or node.is_virtual)


def _check_variables(file: BinaryIO, size: int) -> None:
    """Follow the lengths that a version 5 file gives its variables to its end."""
    end = 128
    while end < size:
        file.seek(end)
        kind, length = struct.unpack("<II", file.read(8))
        end += 8 + length
        if kind == 15:
            packed = file.read(min(length, 1024))
            _check_packed(zlib.decompressobj().decompress(packed, 1024))
    if end > size:
        raise ValueError(f"its variables fill {end} bytes")


def _check_packed(start: bytes) -> None:
    """See that a packed variable is no larger than it says: scipy unpacks it all.

    It starts with flags, the lengths of its axes, its name, and how many bytes of
    samples follow. What is short stands in its tag itself.
    """
    (flags,), (axes,) = (struct.unpack_from("<I", start, place) for place in (16, 28))
    shape = struct.unpack_from(f"<{axes // 4}i", start, 32)
    place = 32 + -(-axes // 8) * 8
    tag, letters = struct.unpack_from("<II", start, place)
    letters = 0 if tag >> 16 else letters
    if letters > _LONGEST_NAME:
        raise ValueError(f"a variable's name has {letters} letters")
    tag, count = struct.unpack_from("<II", start, place + 8 + -(-letters // 8) * 8)
    are_numbers, are_complex = 6 <= flags & 0xFF <= 15, flags & 0x800
    longer = not tag >> 16 and count > 8 * math.prod(shape)
    if are_numbers and (longer or are_complex):
        raise ValueError(f"a variable of shape {shape} has {count} bytes or is complex")


def _version(path: Path) -> str:
    """Tell version 5 from 7.3 by the first bytes, and refuse what is neither."""
    if not path.is_file():
        raise MidError(f"{path} is missing, or no file: {_REPLACE}")
    with _refusing(path), path.open("rb") as file:
        head = file.read(520)
    if _HDF5 in (head[:8], head[512:]):
        return "7.3"
    if head[124:128] == b"\0\1IM":
        return "5"
    if head.lstrip()[:1] == b"<":
        what = "is a web page, perhaps a login or an error"
    elif head[:6] == b"MATLAB" or not head:
        what = "is empty or cut short"
    else:
        what = "is of an older version, or no MAT file at all"
    raise MidError(
        f"{path} ({path.stat().st_size} bytes) {what}: it begins with {head[:15]!r}, "
        f"expected is a MAT file of version 5 or 7.3; {_REPLACE}"
    )


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn what scipy, h5py and the disk raise into a sentence about the file."""
    try:
        yield
    except MidError:
        raise
    # On damaged files decoders raise whatever they meet, even TypeError.
    except Exception as error:
        raise MidError(
            f"{path} ({path.stat().st_size} bytes) is damaged or cut short ({error}): "
            f"{_REPLACE}"
        ) from error
