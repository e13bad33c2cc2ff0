"""Arrays larger than memory, in files without a name."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from mid_core.errors import MidError
from mid_core.runtime.files import advice

# What makes an array of a shape and a dtype: `np.empty`, or `scratch` in a folder.
Space = Callable[[tuple[int, ...], DTypeLike], np.ndarray]


def scratch(shape: tuple[int, ...], dtype: DTypeLike, folder: Path) -> np.ndarray:
    """Make an array as `np.empty` does, in a file that disappears with it.

    The system keeps in memory what of it there is room for. It counts towards
    ``ulimit -v``, which limits addresses, and not towards ``ulimit -d``. Not even a
    killed process leaves the file. Raises MidError if the disk of `folder` or the
    address space is too small.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            # On a disk that fills up later, a write to the array would kill the process.
            if hasattr(os, "posix_fallocate"):  # not on macOS
                os.posix_fallocate(file.fileno(), 0, size)
            return np.asarray(np.memmap(file, dtype, "w+", shape=shape))
    except OSError as error:
        raise MidError(
            f"{folder} cannot hold a file of {size / 2**20:.0f} MB to work in "
            f"({error.strerror or error}): {advice(error)}"
        ) from error
