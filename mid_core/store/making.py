"""An unfinished store: its lock, and the note that lets a later process go on."""

import hashlib
import json
import shutil
from pathlib import Path

from mid_core.runtime.files import sha256
from mid_core.runtime.lock import Lock
from mid_core.store.manifest import manifest_path
from mid_core.store.shards import UNFINISHED

# Of the note: raised when it says other things, as unfinished stores then begin anew.
FORMAT = 3


def note_path(path: Path | str) -> Path:
    """Where the note of a store's progress lies."""
    return manifest_path(path).with_suffix("").with_suffix(".partial.json")


def lock(path: Path | str) -> Lock:
    """Keep other writers of the store out: two would destroy each other's shards."""
    return Lock(manifest_path(path).with_suffix("").with_suffix(".lock"))


def digest(key: dict | None) -> str:
    """Hash all that a store's content depends on, and the note's format."""
    whole = json.dumps([FORMAT, key], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def begin(path: Path, key: dict | None) -> dict | None:
    """Return the note of an unfinished store with this key; else delete what is there.

    Of the unfinished store the shards stay, except those that are known to differ from
    what was written.
    """
    note = note_path(path)
    if note.is_file() and not manifest_path(path).is_file():
        found = json.loads(note.read_text())
        if key is not None and found["key"] == digest(key):
            _sweep(path, found.get("shards", {}))
            return found
    for file in (manifest_path(path), note):
        file.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return None


def _sweep(path: Path, hashes: dict[str, str]) -> None:
    """Delete the metadata, damaged shards and what a kill left half-written."""
    for pattern in ("zarr.json", "*.partial", UNFINISHED):
        for file in path.rglob(pattern):
            file.unlink()
    for name, expected in hashes.items():
        shard = path / name
        if shard.is_file() and sha256(shard) != expected:
            shard.unlink()
