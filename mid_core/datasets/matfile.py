"""Arrays of MATLAB files, with their axes in MATLAB's order.

SciPy reads MAT files of version 5, and only as a whole; h5py reads those of version 7.3,
which are HDF5, also in parts. HDF5 lists the axes the other way round.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import scipy.io

from mid_core.errors import MidError

_REPLACE = "get the file from the data set's own site again"
_loading = threading.Lock()


class Variable(NamedTuple):
    """What a variable must be: one of ``dtypes``, of ``shape``, None for any length."""

    name: str
    dtypes: tuple[str, ...]
    shape: tuple[int | None, ...]


class _Turned:
    """An array of an HDF5 file, its axes in MATLAB's order; a part is read when taken."""

    def __init__(self, node: h5py.Dataset) -> None:
        self._node, self.shape, self.dtype = node, node.shape[::-1], node.dtype

    def __getitem__(self, part: tuple) -> np.ndarray:
        return self._node[part[::-1]].T


def check(path: Path, variable: Variable) -> tuple[int, ...]:
    """See that a file holds a variable as expected.

    A file of version 5 is read for that: whether it is whole, nothing else tells.

    Returns
    -------
    The variable's shape.

    Raises
    ------
    MidError
        If the file is missing, damaged, cut short or no MAT file, or if the variable is
        missing, or of another shape or dtype.
    """
    with _arrays(path) as arrays:
        return _fitting(path, arrays, variable).shape


def read(path: Path, variable: Variable) -> np.ndarray:
    """Read a whole variable, read-only; the last two stay in memory, for all threads.

    Meant for arrays of blocks. The axes that count the blocks run fastest on disk, so
    that reading a single block takes as long as reading them all. Raises as `check`.
    """
    with _sentences(path):
        status = path.stat()
    with _loading:
        return _load(path, variable, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: Path, variable: Variable, size: int, modified: int) -> np.ndarray:
    array = read_part(path, variable, (...,))
    array.flags.writeable = False
    return array


def read_part(path: Path, variable: Variable, part: tuple) -> np.ndarray:
    """Read a part of a variable, a slice for each axis.

    Of a file of version 7.3, no more than that is read. Raises as `check`.
    """
    with _arrays(path) as arrays:
        return _fitting(path, arrays, variable)[part]


def read_cells(path: Path, name: str) -> list[np.ndarray]:
    """Read the arrays of a struct array's field, ``struct/field``, from version 7.3.

    Raises MidError if the file is missing, damaged, of another version, or has no such
    field.
    """
    with _sentences(path), path.open("rb") as file, h5py.File(file) as content:
        if name not in content:
            raise ValueError(f"it has no {name}")
        return [content[reference][()].T for reference in content[name][()].ravel()]


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises on a damaged file into a sentence about it."""
    if not path.is_file():
        raise MidError(f"{path} is missing, or no file: {_REPLACE}")
    try:
        yield
    except MidError:
        raise
    # On damaged files decoders raise whatever they meet, even TypeError.
    except Exception as error:
        with path.open("rb") as file:
            start = file.read(15)
        reason = " ".join(str(error).split())
        raise MidError(
            f"{path} ({path.stat().st_size} bytes) is damaged, cut short or no such MAT "
            f"file ({reason}; it begins with {start!r}): {_REPLACE}"
        ) from error


@contextmanager
def _arrays(path: Path) -> Iterator[Mapping[str, np.ndarray | _Turned]]:
    """Open a MAT file and give its arrays by name.

    It is opened through Python even for h5py, so that `mid_core.jobs.lineage` sees it.
    """
    with _sentences(path), path.open("rb") as file:
        if not h5py.is_hdf5(path):
            found = scipy.io.loadmat(file)
            yield {key: v for key, v in found.items() if isinstance(v, np.ndarray)}
            return
        with h5py.File(file) as content:
            yield {
                key: _Turned(node)
                for key, node in content.items()
                # Others have their values in any file of this machine.
                if isinstance(node, h5py.Dataset)
                and not (node.external or node.is_virtual)
            }


def _fitting(
    path: Path, arrays: Mapping[str, np.ndarray | _Turned], variable: Variable
) -> np.ndarray | _Turned:
    array = arrays.get(variable.name)
    if array is not None and array.dtype.name in variable.dtypes:
        wanted = variable.shape
        if len(array.shape) == len(wanted) and all(
            length in (None, own)
            for length, own in zip(wanted, array.shape, strict=True)
        ):
            return array
    listed = ", ".join(f"{name} {a.shape} {a.dtype}" for name, a in arrays.items())
    lengths = ", ".join("any" if n is None else str(n) for n in variable.shape)
    raise MidError(
        f"{path} ({path.stat().st_size} bytes) holds {listed or 'no array'}, but "
        f"expected is {variable.name} ({lengths}) {' or '.join(variable.dtypes)}: "
        f"{_REPLACE}"
    )
