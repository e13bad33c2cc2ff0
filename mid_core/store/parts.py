"""The shards of an unfinished store: one process writes all of them, or a part."""

import json
from pathlib import Path

import numpy as np
import zarr

from mid_core.runtime.files import disk_space_needed
from mid_core.store.layout import cut, image_tiles, shard_name
from mid_core.store.making import note_path
from mid_core.store.shards import open_tiles, read_window, write_tiles


class PartWriter:
    """Writes this process's shards of a store, each when it has all of its tiles.

    While one process is within a `StoreWriter` that has laid out its images, as many as
    there are parts may write side by side. A shard that is there is complete, as it
    appears by rename: what a killed process has written is not made again.

    Parameters
    ----------
    path
        ``NAME.zarr``.
    part, parts
        Which part this is, from 0, and of how many.
    """

    def __init__(self, path: Path | str, part: int = 0, parts: int = 1) -> None:
        self.path = Path(path)
        note = json.loads(note_path(self.path).read_text())
        self.index: list[list[int]] = note["index"]
        self.array = zarr.open_group(self.path, mode="r")[note["kind"]]
        self.kind, self.size = note["kind"], self.array.shards[0]
        shards = -(-self.array.shape[0] // self.size)
        self._own = range(shards * part // parts, shards * (part + 1) // parts)
        # Of each incomplete shard: its tiles, and how many of them are there.
        self._waiting: dict[int, tuple[np.ndarray, int]] = {}

    def wanted(self) -> list[int]:
        """The images of which a shard is still missing, in order."""
        return [i for i in range(len(self.index)) if self._missing(i)]

    def _missing(self, index: int) -> list[int]:
        """The shards that are this part's, hold tiles of an image, and are missing."""
        tiles = image_tiles(self.index[index], self.array.shape[1])
        numbers = range(tiles.start // self.size, -(-tiles.stop // self.size))
        return [n for n in numbers if n in self._own and not self._file(n).is_file()]

    def _file(self, number: int) -> Path:
        return self.path / shard_name(self.kind, number)

    def put(self, index: int, image: np.ndarray) -> bool:
        """Take in one of the wanted images, (H, W, C); in order, to bound the memory.

        Returns
        -------
        Whether a shard was completed, and written.

        Raises
        ------
        ValueError
            If its shape or type is not the one laid out: tiles would go astray.
        """
        due = (*self.index[index][1:], self.array.shape[3]), self.array.dtype
        if (image.shape, image.dtype) != due:
            raise ValueError(
                f"image {index} of {self.path} is {image.shape}, {image.dtype}, but was "
                f"laid out as {due[0]}, {due[1]}"
            )
        first, tiles = self.index[index][0], cut(image, self.array.shape[1])
        written = [self._add(n, first, tiles) for n in self._missing(index)]
        return any(written)

    def _add(self, number: int, first: int, tiles: np.ndarray) -> bool:
        """Add to a shard those of an image's tiles that are its; write it if complete."""
        start = number * self.size
        stop = min(start + self.size, self.array.shape[0])
        begin, end = max(first, start), min(first + len(tiles), stop)
        if number not in self._waiting:
            empty = np.empty((stop - start, *tiles.shape[1:]), tiles.dtype)
            self._waiting[number] = empty, 0
        shard, filled = self._waiting[number]
        shard[begin - start : end - start] = tiles[begin - first : end - first]
        self._waiting[number] = shard, filled + end - begin
        complete = filled + end - begin == len(shard)
        if complete:
            self._write(number)
        return complete

    def flush(self) -> None:
        """Write the last shard, which need not be full."""
        for number in list(self._waiting):
            self._write(number)

    def _write(self, number: int) -> None:
        shard, filled = self._waiting.pop(number)
        with disk_space_needed(self.path):
            write_tiles(self.path, self.kind, number * self.size, shard[:filled])

    def read(self, index: int) -> np.ndarray:
        """Read back an image of which all shards are there."""
        entry = self.index[index]
        tiles = open_tiles(self.path, self.kind)
        return read_window(tiles, entry, (0, 0), tuple(entry[1:]))

    def lacking(self, tiles: int) -> list[int]:
        """Of the shards of so many tiles, those that are not there."""
        shards = range(-(-tiles // self.size))
        return [n for n in shards if not self._file(n).is_file()]
