"""The images of a folder that match a pattern, in the order that people expect."""

import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path

from mid_config.walking import walk
from mid_core.errors import MidError
from mid_core.images.formats import SUFFIXES

_WILDCARD = re.compile(r"(\*\*/|\*\*|\*|\?|\[!?\]?[^]]*\])")
_STANDS_FOR = {"**/": "((?:.*/)?)", "**": "(.*)", "*": "([^/]*)", "?": "([^/])"}


def list_images(folder: str | Path, pattern: str = "*") -> dict[str, tuple[str, ...]]:
    """List the images of a folder that match a glob, ``img2`` before ``img10``.

    Parameters
    ----------
    folder
        Where the pattern starts.
    pattern
        Names with ``*``, ``?`` and ``[...]``, folders with ``/``; ``**`` stands for
        folders of any depth. Linked folders are followed. Upper and lower case are
        the same. Hidden files are left out: macOS keeps ``._photo.jpg`` beside
        ``photo.jpg``.

    Returns
    -------
    For each file, by its path below the folder, what the wildcards stand for.

    Raises
    ------
    MidError
        If there is no such folder or no such image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MidError(f"{folder} is no folder: correct the path.")
    regex = re.compile(
        "".join(
            _regex(part) if i % 2 else re.escape(part)
            for i, part in enumerate(_WILDCARD.split(pattern))
        ),
        re.IGNORECASE | re.DOTALL,
    )
    depth = None if "**" in pattern else pattern.count("/")
    found = {}
    for name in sorted(_names(folder, depth), key=_natural):
        if match := regex.fullmatch(name):
            found[name] = match.groups()
    if not found:
        raise MidError(
            f"{folder} holds no image that matches {pattern!r}: expected names ending "
            f"in {', '.join(SUFFIXES)}."
        )
    return found


def _regex(wildcard: str) -> str:
    """Translate one wildcard to a group."""
    if wildcard in _STANDS_FOR:
        return _STANDS_FOR[wildcard]
    # fnmatch.translate gives (?s:...)\Z, or \z from Python 3.14 on.
    return f"((?!/){fnmatch.translate(wildcard)[4:-3]})"


def _names(folder: Path, depth: int | None) -> Iterator[str]:
    """Give the images' paths below a folder, down to a depth, None for any."""

    def stop(error: OSError) -> None:
        raise MidError(f"{error.filename} cannot be listed: {error.strerror}.")

    for root, folders, files in walk(folder, stop):
        parts = root.relative_to(folder).parts
        if len(parts) == depth:
            folders.clear()
        for name in files:
            if name[0] != "." and name.lower().endswith(SUFFIXES):
                yield "/".join((*parts, name))


def _natural(name: str) -> tuple[list[str | int], str]:
    parts = re.split(r"(\d+)", name)
    return [int(part) if part.isdecimal() else part for part in parts], name
