"""One variable of a MATLAB file, with its axes in MATLAB's order.

SciPy reads MAT files of version 5, h5py those of version 7.3, which are HDF5 behind a block
of 512 bytes. HDF5's axes are the other way round, as its last one runs fastest.
"""

import math
import struct
import threading
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
# Deflate, which both versions pack with, makes nothing smaller than this; and no variable
# of our data sets takes more memory than 2 GiB.
_MOST_PACKED, _MOST_BYTES = 1032, 2**31
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
        If the file is missing, damaged, cut short or no MAT file of version 5 or 7.3; if
        the variable is missing, of another shape or dtype, kept in another file, or
        claimed to be larger than the file can hold.
    """
    with _opened(path) as content:
        found = _contents(content)
    shape, kind = found.get(variable.name, ((), ""))
    fits = len(shape) == len(variable.shape) and all(
        want in (None, have) for want, have in zip(variable.shape, shape, strict=True)
    )
    size = path.stat().st_size
    if not fits or kind not in variable.dtypes:
        listed = ", ".join(f"{name} {form} {of}" for name, (form, of) in found.items())
        lengths = ", ".join("any" if n is None else str(n) for n in variable.shape)
        raise MidError(
            f"{path} ({size} bytes) holds {listed or 'no variable'}, but expected is "
            f"{variable.name} ({lengths}) {' or '.join(variable.dtypes)}: {_REPLACE}"
        )
    claimed = math.prod(shape) * np.dtype(kind).itemsize
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
    with _opened(path):
        status = path.stat()
    with _loading:
        return _load(path, variable, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: Path, variable: Variable, size: int, modified: int) -> np.ndarray:
    check(path, variable)
    with _opened(path) as content:
        if isinstance(content, h5py.File):
            array = content[variable.name][()].T
        else:
            name = variable.name
            array = scipy.io.loadmat(content, variable_names=name)[name]
    array.flags.writeable = False
    return array


def read_part(path: Path, variable: Variable, part: tuple[slice, ...]) -> np.ndarray:
    """Read a part of a variable, a slice for each axis.

    Of a file of version 7.3, no more than that is read. Raises as `check`.
    """
    check(path, variable)
    with _opened(path) as content:
        if isinstance(content, h5py.File):
            return content[variable.name][part[::-1]].T
    return read(path, variable)[part]


def read_cells(path: Path, name: str) -> list[np.ndarray]:
    """Read the arrays of a struct array's field, as ``struct/field``, or of a cell.

    An empty array has shape (0,). Raises MidError if the file is missing, damaged, not
    of version 7.3, or has no such field.
    """
    with _opened(path) as content:
        if not isinstance(content, h5py.File):
            raise MidError(f"{path} is of MAT version 5, expected is 7.3: {_REPLACE}")
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


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | h5py.File]:
    """Open a MAT file; whatever goes wrong within becomes a sentence about it.

    It is opened through Python even for h5py, so that `mid_core.jobs.lineage` sees it.

    Yields
    ------
    The file itself, of version 5, or its content, of version 7.3.
    """
    if not path.is_file():
        raise MidError(f"{path} is missing, or no file: {_REPLACE}")
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            head = file.read(520)
            file.seek(0)
            if _HDF5 in (head[:8], head[512:]):
                with h5py.File(file, "r") as content:
                    yield content
            elif head[124:128] == b"\0\1IM":
                yield file
            else:
                raise MidError(
                    f"{path} ({size} bytes) is cut short or no MAT file of version 5 or "
                    f"7.3, it begins with {head[:15]!r}: {_REPLACE}"
                )
    except MidError:
        raise
    # On damaged files decoders raise whatever they meet, even TypeError.
    except Exception as error:
        raise MidError(
            f"{path} ({size} bytes) is damaged or cut short ({error}): {_REPLACE}"
        ) from error


def _contents(content: BinaryIO | h5py.File) -> dict[str, tuple[tuple[int, ...], str]]:
    """Map the variables' names to shape and dtype; structs of version 7.3 left out."""
    if isinstance(content, h5py.File):
        return {
            name: (node.shape[::-1], node.dtype.name)
            for name, node in content.items()
            if isinstance(node, h5py.Dataset) and _is_own(node, content)
        }
    _check_length(content)
    listed = scipy.io.whosmat(content)
    found = {name: (shape, _NUMPY.get(kind, kind)) for name, shape, kind in listed}
    # The one that is read need not be the one that was looked at.
    if len(found) < len(listed):
        raise ValueError("it holds two variables of one name")
    return found


def _is_own(node: h5py.Dataset, content: h5py.File) -> bool:
    """Whether an array lies in the file itself, and in none of the reader's others."""
    return node.file == content and not (node.external or node.is_virtual)


def _check_length(file: BinaryIO) -> None:
    """See that a version 5 file ends where its last variable does: it may be cut short."""
    size, end = file.seek(0, 2), 128
    while end < size:
        file.seek(end)
        _, length = struct.unpack("<II", file.read(8))
        end += 8 + length
    if end > size:
        raise ValueError(f"its variables fill {end} bytes")
    file.seek(0)
