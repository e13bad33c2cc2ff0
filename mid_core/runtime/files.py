"""Files that appear complete or not at all, on disks that may be full."""

import errno
import hashlib
import itertools
import json
import os
import socket
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from mid_core.errors import MidError

# A file of a process on another host, which cannot be asked, is left after this time.
DAY_S = 86_400
_ELSEWHERE = "get the right to write there, or name another place"
_ADVICE = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EFBIG: "make room there, or name a disk that takes such large files",
    errno.ENOMEM: "make room in memory, or under 'ulimit -v' if that is set",
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.EROFS: _ELSEWHERE,
    errno.ENAMETOOLONG: "shorten the name",
    errno.EEXIST: "name another place",
    errno.EISDIR: "name a file, not a folder",
}
_counter = itertools.count()


def advice(error: OSError) -> str:
    """What a person can do about what the system refused."""
    # Libraries that write files by themselves give no number.
    known = _ADVICE | {None: "make room there, or look at the disk"}
    return known.get(error.errno, "correct the path, or look at the disk")


def refusal(path: Path, error: OSError) -> str:
    """Say that the system refused to write a file, why, and what to do."""
    return f"{path} cannot be written ({error.strerror or error}): {advice(error)}"


def check_folder(folder: Path) -> None:
    """Raise MidError if no file can be made in a folder: ask before the work."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MidError(refusal(folder, error)) from error


@contextmanager
def replacing(path: Path, suffix: str = ".partial") -> Iterator[Path]:
    """Give a hidden path, whose file takes the place of ``path`` at the block's end.

    It is then on the disk, so that not even a power failure leaves half of it. After an
    error it is deleted, and ``path`` is left as it was. What killed processes left in
    the folder is deleted at the first write there.

    Parameters
    ----------
    path
        The file to be.
    suffix
        Of the hidden path, for writers that go by it.
    """
    _clear(path.parent.absolute())
    # Of a fixed length, as a name may be as long as can be.
    unique = f"{_hash(socket.gethostname())}-{os.getpid()}-{next(_counter)}"
    partial = path.with_name(f".mid-{_hash(path.name)}-{unique}{suffix}")
    try:
        yield partial
        _sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    # The rename itself must last, too; some file systems cannot sync a folder.
    with suppress(OSError):
        _sync(path.parent)


def _hash(name: str) -> str:
    return f"{zlib.crc32(os.fsencode(name)):08x}"


def remove_partials(path: Path) -> None:
    """Delete what others left half-written of a file that only we may write now."""
    for file in path.parent.glob(f".mid-{_hash(path.name)}-*"):
        file.unlink(missing_ok=True)


@cache
def _clear(folder: Path) -> None:
    for file in folder.glob(".mid-*-*-*-*"):
        # Others may be faster, or may own it.
        with suppress(OSError, ValueError):
            _, _, host, pid, _ = file.name.split("-")
            is_here = host == _hash(socket.gethostname())
            age_s = time.time() - file.stat().st_mtime
            if _is_dead(int(pid)) if is_here else age_s > DAY_S:
                file.unlink()


def _is_dead(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


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
    """Say in a sentence why the disk refused to take what belongs to ``path``."""
    try:
        yield
    except OSError as error:
        raise MidError(
            f"{refusal(path, error)}, then give the same command, which goes on from "
            "what is saved"
        ) from error


def write_json(path: Path, content: dict | list) -> None:
    """Write a small file so that it appears complete or not at all."""
    with written_whole(path) as file:
        file.write(json.dumps(content, indent=1, sort_keys=True).encode())


def place(path: Path) -> tuple[int, int] | None:
    """Where a file lies on its disk, whatever it is called; None where there is none."""
    with suppress(FileNotFoundError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


def refuse_overwriting(read: Iterable[Path], written: Iterable[Path]) -> None:
    """Raise MidError if a file that is read would be written, whatever it is called.

    Files are compared by what they are: links and mounts give one file many names.
    """
    places = {place(file): file for file in read}
    for target in written:
        if (one := place(target)) and (file := places.get(one)):
            raise MidError(
                f"{target} is {file} itself, which is read: name another place"
            )


def sha256(path: Path) -> str:
    """Hash a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
