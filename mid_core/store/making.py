"""What stores in the making have in common: a note of how far they are."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import zarr

from mid_core.runtime.files import disk_space_needed
from mid_core.runtime.lock import Lock
from mid_core.store.manifest import manifest_path, write_manifest

# Of the note: raised when it says other things, as half-made stores then begin anew.
FORMAT = 2


def record_path(path: Path | str) -> Path:
    """Where a store in the making notes how far it is."""
    return manifest_path(path).with_suffix("").with_suffix(".partial.json")


@contextmanager
def lock(path: Path | str) -> Iterator[Lock]:
    """What a writer of the store holds: with two, shards of either would be lost."""
    with ExitStack() as stack:
        with disk_space_needed(path):
            own = Lock(manifest_path(path).with_suffix("").with_suffix(".lock"))
            stack.enter_context(own)
        yield own


def digest(key: dict | None) -> str:
    """Hash all that a store's content depends on, and the note's format."""
    whole = json.dumps([FORMAT, key], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def noted(path: Path, key: dict | None) -> dict | None:
    """Return what a killed writer of the same content noted; else clear the ground."""
    record = record_path(path)
    if record.is_file() and not manifest_path(path).is_file():
        found = json.loads(record.read_text())
        if key is not None and found["key"] == digest(key):
            return found
    for file in (manifest_path(path), record):
        file.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return None


def complete(
    group: zarr.Group, path: Path, index: list, attributes: dict, hashes: dict[str, str]
) -> None:
    """Add index and attributes, and manifest; ``hashes`` of files as for `manifest`."""
    # What was being written at a kill; it had not got its name yet.
    for stray in path.rglob("*.partial"):
        stray.unlink()
    with disk_space_needed(path):
        data = np.array(index, np.int64).reshape(-1, 3)
        # It may have been written already, by a job that was killed before it sealed.
        group.create_array("index", data=data, overwrite=True)
        group.attrs.update(attributes)
        write_manifest(path, attributes.get("made_by", {}), hashes)
