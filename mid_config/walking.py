"""The folders below a folder, linked ones too, without end."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def walk(
    top: str | Path, onerror: Callable[[OSError], None] | None = None
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Walk as ``os.walk`` does, through links but not round in circles.

    Hidden folders are left out. The list of folders may be shortened on the way.
    """
    for root, folders, files in os.walk(top, onerror=onerror, followlinks=True):
        folder = Path(root)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and not _leads_up(folder / name)
        )
        yield folder, folders, files


def _leads_up(folder: Path) -> bool:
    """Whether a folder is a link to one above it: a walk would never end."""
    if not folder.is_symlink():
        return False
    return any(folder.samefile(above) for above in folder.parents)
