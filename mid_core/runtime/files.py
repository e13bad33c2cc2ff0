"""Files that appear complete or not at all, on disks that may be full."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mid_core.errors import MidError


def partial_path(path: Path, suffix: str = ".partial") -> Path:
    """Where a file lies while it is written; what a kill leaves is found there."""
    return path.with_name(f".{path.name}{suffix}")


@contextmanager
def replacing(path: Path, suffix: str = ".partial") -> Iterator[Path]:
    """Give a hidden path, whose file takes the place of ``path`` at the block's end.

    It is then on the disk, so that not even a power failure leaves half of it. After an
    error it is deleted, and ``path`` is left as it was.

    Parameters
    ----------
    path
        The file to be.
    suffix
        Of the hidden path, for writers that go by it.
    """
    partial = partial_path(path, suffix)
    try:
        yield partial
        _sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    # The rename itself must last, too; some file systems cannot sync a folder.
    with suppress(OSError):
        _sync(path.parent)


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path``, as with ``replacing``."""
    with replacing(path) as partial, partial.open("wb") as file:
        yield file


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


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


def write_json(path: Path, content: dict | list) -> None:
    """Write a small file so that it appears complete or not at all."""
    with written_whole(path) as file:
        file.write(json.dumps(content, indent=1, sort_keys=True).encode())


def sha256(path: Path) -> str:
    """Hash a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
