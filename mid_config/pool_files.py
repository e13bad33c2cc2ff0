"""The files of a pool, as rules see them: names, sizes, and content where it changed.

To hash all files of a large data set would slow every dry run. So names and sizes are
looked at each time, and ingestion records the content's hash and the time stamp of what
it read. Only a file with another time stamp is hashed again: its content decides.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mid_config.walking import walk

# What the readers open; other files beside them are of no matter.
IMAGE_FILES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".mat")


def record_of(listed: str | Path) -> Path:
    """Where ingestion records what it read of the files of a list.

    Not an output of a rule: Snakemake deletes those before it makes them again.
    """
    listed = Path(listed)
    return listed.with_name(listed.name.removesuffix(".files.json") + ".read.json")


def files_below(path: str, pattern: str | None) -> list[tuple[str, int]]:
    """Name and size of a folder's files; of those at any depth where it is None."""
    deep = pattern is None or "**" in pattern or Path(pattern).name != pattern
    fits = "*" if pattern is None or deep else pattern.lower()
    found = []
    for root, folders, names in walk(path):
        folders[:] = folders if deep else []
        for name in names:
            low, file = name.lower(), root / name
            is_wanted = low.endswith(IMAGE_FILES) and fnmatchcase(low, fits)
            if is_wanted and name[0] != "." and file.exists():
                found.append((str(file), file.stat().st_size))
    return sorted(found)


def fingerprint(pool: Mapping[str, Any], stack: str, record: Path) -> str:
    """Hash the files of a pool: a changed folder is noticed, a touched one is not.

    Parameters
    ----------
    pool
        Settings of the pool.
    stack
        ``"image"``, or ``"truth"``: the files of its truth count, too.
    record
        Where ingestion keeps what it read of this stack.
    """
    anywhere = "*" if pool["reader"] == "folders" else None
    truth = pool.get("truth") if stack == "truth" else None
    found = [
        files_below(part["path"], part.get("pattern", anywhere))
        for part in (pool, truth)
        if part and "path" in part
    ]
    contents = replaced((name for files in found for name, _ in files), record)
    return hashlib.sha256(repr((found, sorted(contents.items()))).encode()).hexdigest()


def replaced(files: Iterable[str], record: Path) -> dict[str, str]:
    """Return the hash of each file whose content is not the one first recorded."""
    known, touched, found = _read(record), {}, {}
    for file in files:
        name = os.path.normpath(file)
        if (entry := known.get(name)) is None:
            continue
        modified, digest = Path(file).stat().st_mtime_ns, entry["sha256"]
        if modified != entry["modified"]:
            digest = _sha256(file)
            if digest == entry["sha256"]:
                touched[name] = entry | {"modified": modified}
        if entry["replaced"] or digest != entry["sha256"]:
            found[file] = digest
    if touched:
        # Else each dry run would hash the touched files again; no matter on a full disk.
        with suppress(OSError):
            _write(record, known | touched)
    return found


def record_files(files: Iterable[str], record: Path) -> None:
    """Keep the time stamp and the hash of files that were read."""
    paths = [file for file in dict.fromkeys(files) if Path(file).is_file()]
    changed, known, entries = replaced(paths, record), _read(record), {}
    for path in paths:
        name = os.path.normpath(path)
        # First the time: what is written while it is hashed shows next time.
        modified, entry = Path(path).stat().st_mtime_ns, known.get(name, {})
        as_known = entry.get("modified") == modified
        digest = entry["sha256"] if as_known else _sha256(path)
        own = {"modified": modified, "sha256": digest, "replaced": path in changed}
        entries[name] = own
    _write(record, entries)


def hashes(record: Path) -> dict[str, str]:
    """The recorded files by their hash; none where nothing is recorded."""
    return {entry["sha256"]: name for name, entry in _read(record).items()}


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(record: Path) -> dict[str, dict[str, Any]]:
    """Read what was recorded; what cannot be read was not."""
    with suppress(OSError, ValueError):
        return dict(json.loads(record.read_text()))
    return {}


def _write(record: Path, known: Mapping[str, Any]) -> None:
    partial = record.with_name(f".{record.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(known))
        partial.replace(record)
    finally:
        partial.unlink(missing_ok=True)
