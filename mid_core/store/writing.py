"""Stores written image by image, in whole shards, and resumed at the last one."""

from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np
import zarr

from mid_core.errors import MidError
from mid_core.runtime.files import disk_space_needed, write_json
from mid_core.store.layout import TILE, shard_name
from mid_core.store.making import (
    complete,
    digest,
    lock,
    noted,
    record_path,
)
from mid_core.store.shards import Packed, create, pack, write_shard


class StoreWriter:
    """Writes a store image by image, and manifests it at the end.

    Use as a context manager; leaving it without an error manifests the store, which must
    then have an image. One that is killed goes on, when it is made again with the same
    key, after the last shard that was written: `names` are the images that are done.
    Memory is bounded by one shard and one image.

    Parameters
    ----------
    path
        ``NAME.zarr``.
    kind
        ``"image"``, ``"truth"`` or ``"noise"``.
    key
        All that the content depends on; with another, or None, the store is begun anew.
    tile
        Side of a tile in pixels.

    Raises
    ------
    MidError
        On entering, if another process writes the store; on leaving, if it is empty.
    """

    def __init__(
        self, path: Path | str, kind: str, key: dict | None = None, tile: int = TILE
    ) -> None:
        self.path, self.kind, self.tile, self._key = Path(path), kind, tile, key
        self.names: list[str] = []
        self.attributes: dict = {}
        self._index: list[list[int]] = []
        self._written = self._tiles = 0
        self._waiting: list[bytes] = []
        self._hashes: dict[str, str] = {}
        self._array: zarr.Array | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._lock = stack.enter_context(lock(self.path))
            with disk_space_needed(self.path):
                before = noted(self.path, self._key)
                self._group = zarr.open_group(self.path, mode="a")
            if before is not None:
                self._resume(before)
            self._held = stack.pop_all()
        return self

    def _resume(self, before: dict) -> None:
        self.names, self._index = before["names"], before["index"]
        self._tiles, self._written = before["tiles"], before["written"]
        self._hashes, self._array = before["hashes"], self._group[self.kind]
        # What was written after the note is written again.
        self._array.resize((self._written, *self._array.shape[1:]))

    def append(self, name: str, image: np.ndarray | Packed) -> None:
        """Add one image, of the type and with as many colours as the first.

        Parameters
        ----------
        name
            Of the image.
        image
            (H, W, C), or what `pack` made of it, with this store's tile.

        Raises
        ------
        MidError
            If its type or number of colours is another.
        """
        packed = image if isinstance(image, Packed) else pack(image, self.tile)
        height, width, channels = packed.shape
        if self._array is None:
            form = packed.dtype.name, channels, self.tile
            with disk_space_needed(self.path):
                self._array = create(self._group, self.kind, 0, *form)
        _check_kind(name, packed, self._array)
        # A resumed image's first tiles may be there already.
        done = max(0, self._written - self._tiles)
        self._waiting.extend(packed.tiles[done:])
        entry = [self._tiles, height, width]
        shard = self._array.shards[0]
        if len(self._waiting) >= shard:
            self._flush(len(self._waiting) // shard * shard)
        self.names.append(name)
        self._index.append(entry)
        self._tiles += len(packed.tiles)

    def _flush(self, ready: int) -> None:
        """Write whole shards, then note what is done: not the image at hand."""
        shard = self._array.shards[0]
        self._lock.check()
        with disk_space_needed(self.path):
            self._array.resize((self._written + ready, *self._array.shape[1:]))
            for start in range(0, ready, shard):
                name = shard_name(self.kind, (self._written + start) // shard)
                tiles = self._waiting[start : min(start + shard, ready)]
                self._hashes[name] = write_shard(self.path / name, tiles, shard)
            del self._waiting[:ready]
            self._written += ready
            note = {"key": digest(self._key), "names": self.names, "index": self._index}
            note |= {"tiles": self._tiles, "written": self._written}
            write_json(record_path(self.path), note | {"hashes": self._hashes})

    def __exit__(self, *error: object) -> None:
        with self._held:
            if error[0] is None:
                self._finish()

    def _finish(self) -> None:
        if not self.names:
            raise MidError(
                f"no image was put into {self.path}: it is not sealed, as an empty store "
                "cannot be read; see to what should have come"
            )
        if self._waiting:
            self._flush(len(self._waiting))
        attributes = self.attributes | {"names": self.names, "tile": self.tile}
        complete(self._group, self.path, self._index, attributes, self._hashes)
        record_path(self.path).unlink(missing_ok=True)


def _check_kind(name: str, image: Packed, array: zarr.Array) -> None:
    if image.shape[2] != array.shape[3]:
        raise MidError(
            f"'{name}' has {image.shape[2]} colour(s), but the pool's first image has "
            f"{array.shape[3]}: put grey and colour images into two pools"
        )
    if image.dtype != array.dtype:
        raise MidError(
            f"'{name}' has {image.dtype} samples, but the pool's first image has "
            f"{array.dtype}: put them into two pools, or convert them"
        )
