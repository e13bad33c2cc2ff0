"""Files that appear complete or not at all, on disks that may be full."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mid_core.errors import MidError


def partial_path(path: Path) -> Path:
    """Where a file lies while it is written; what a kill leaves is found there."""
    return path.with_name(f".{path.name}.partial")


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` when the block ends without error.

    It is then on the disk, so that not even a power failure leaves half of it.
    """
    partial = partial_path(path)
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    # The rename itself must last, too.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def disk_space_needed(path: Path) -> Iterator[None]:
    """Say in a sentence that the disk refused to take what belongs to ``path``."""
    try:
        yield
    except OSError as error:
        raise MidError(
            f"{path} cannot be written ({error}): make room there, then give the same "
            "command, which goes on from what is saved"
        ) from error


def write_json(path: Path, content: dict) -> None:
    """Write a small file so that it appears complete or not at all."""
    with written_whole(path) as file:
        file.write(json.dumps(content, indent=1, sort_keys=True).encode())


def sha256(path: Path) -> str:
    """Hash a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
