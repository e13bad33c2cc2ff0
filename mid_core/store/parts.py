"""Stores of images whose sizes are known: written by one process or several."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import zarr

from mid_core.errors import MidError
from mid_core.runtime.files import disk_space_needed, sha256, write_json
from mid_core.store.layout import TILE, grid, shard_name, window
from mid_core.store.making import (
    complete,
    digest,
    lock,
    noted,
    record_path,
)
from mid_core.store.manifest import read_manifest
from mid_core.store.shards import create, pack, write_shard


class PartWriter:
    """Writes the shards of a store that are this process's, of images of known size.

    One process enters `lay_out`; within, as many as there are parts write side by side;
    then the one calls `finish`. A shard that is there is whole, as it appears by
    rename: what a killed process has written is not made again.

    Parameters
    ----------
    path
        ``NAME.zarr``, laid out.
    part, parts
        Which part this is, from 0, and of how many.
    """

    def __init__(self, path: Path | str, part: int = 0, parts: int = 1) -> None:
        self.path = Path(path)
        note = json.loads(record_path(self.path).read_text())
        self._index, self.kind = note["index"], note["kind"]
        self._array = zarr.open_group(self.path, mode="r")[self.kind]
        tiles, self._shard_tiles = self._array.shape[0], self._array.shards[0]
        shards = -(-tiles // self._shard_tiles)
        self._own = range(shards * part // parts, shards * (part + 1) // parts)
        self._waiting: dict[int, list[bytes | None]] = {}

    def wanted(self) -> list[int]:
        """The images of which a shard is still missing, in order."""
        missing = {n for n in self._own if not self._file(n).is_file()}
        every = range(len(self._index))
        return [i for i in every if missing & {n for n, _ in self._places(i)}]

    def _file(self, number: int) -> Path:
        return self.path / shard_name(self.kind, number)

    def _places(self, index: int) -> list[tuple[int, range]]:
        """Shards in which an image lies, each with the tiles that it has there."""
        first, height, width = self._index[index]
        rows, columns = grid(height, width, self._array.shape[1])
        last, size = first + rows * columns, self._shard_tiles
        numbers = range(first // size, -(-last // size))
        return [
            (n, range(max(first, n * size), min(last, (n + 1) * size))) for n in numbers
        ]

    def put(self, index: int, image: np.ndarray) -> None:
        """Take in one of the wanted images, (H, W, C); in order, to bound the memory.

        Raises
        ------
        ValueError
            If its shape or type is not the one laid out: tiles would go astray.
        """
        self._check(index, image)
        tiles, first = pack(image, self._array.shape[1]).tiles, self._index[index][0]
        for number, place in self._places(index):
            if number not in self._own or self._file(number).is_file():
                continue
            start = number * self._shard_tiles
            end = min(start + self._shard_tiles, self._array.shape[0])
            shard = self._waiting.setdefault(number, [None] * (end - start))
            inside = slice(place.start - start, place.stop - start)
            shard[inside] = tiles[place.start - first : place.stop - first]
            if None not in shard:
                with disk_space_needed(self.path):
                    write_shard(self._file(number), shard, self._shard_tiles)
                del self._waiting[number]

    def _check(self, index: int, image: np.ndarray) -> None:
        due = (*self._index[index][1:], self._array.shape[3]), self._array.dtype
        if (image.shape, image.dtype) != due:
            raise ValueError(
                f"image {index} of {self.path} is {image.shape}, {image.dtype}, but was "
                f"laid out as {due[0]}, {due[1]}"
            )

    def read(self, index: int) -> np.ndarray:
        """Read back an image of which all shards are there."""
        entry = self._index[index]
        return window(self._array, entry, (0, 0), tuple(entry[1:]))


@contextmanager
def lay_out(
    path: Path,
    kind: str,
    key: dict,
    names: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    dtype: str,
    channels: int,
    tile: int = TILE,
) -> Iterator[None]:
    """Prepare a store for its `PartWriter`, and keep other writers out meanwhile.

    What was written under the same key is kept, be it that only the manifest is gone;
    shards that are not as they were sealed are made again.

    Parameters
    ----------
    path, kind, key, tile
        As for `StoreWriter`.
    names, sizes
        Of the images: name, and (height, width) in pixels.
    dtype, channels
        Of the samples, and colours of every image.

    Raises
    ------
    MidError
        On entering, if another process writes the store, or the disk is full.
    """
    with lock(path):
        index, tiles = _places(sizes, tile)
        with disk_space_needed(path):
            if (before := noted(path, key)) is None:
                note = {"key": digest(key), "kind": kind, "names": list(names)}
                write_json(record_path(path), note | {"index": index})
            else:
                _clear(path, before.get("shards", {}))
            create(zarr.open_group(path, mode="a"), kind, tiles, dtype, channels, tile)
        yield


def _clear(path: Path, shards: dict[str, str]) -> None:
    """Delete what may be damaged, and can be made again, of a store that was sealed."""
    for file in [*path.rglob("zarr.json"), *map(path.joinpath, shards)]:
        name = file.relative_to(path).as_posix()
        if file.is_file() and sha256(file) != shards.get(name):
            file.unlink()


def _places(sizes: Sequence[tuple[int, int]], tile: int) -> tuple[list, int]:
    """Return the index of images that follow each other, and how many tiles they have."""
    index, tiles = [], 0
    for height, width in sizes:
        rows, columns = grid(height, width, tile)
        index.append([tiles, height, width])
        tiles += rows * columns
    return index, tiles


def finish(path: Path, attributes: dict) -> None:
    """Seal a store whose parts are all written.

    Raises
    ------
    MidError
        If a shard is missing.
    """
    note, group = json.loads(record_path(path).read_text()), zarr.open_group(path)
    array, kind = group[note["kind"]], note["kind"]
    shards = range(-(-array.shape[0] // array.shards[0]))
    missing = [n for n in shards if not (path / shard_name(kind, n)).is_file()]
    if missing:
        raise MidError(
            f"{path} lacks {len(missing)} of {len(shards)} shards, the first is number "
            f"{missing[0]}: run the workflow again, which writes the rest"
        )
    attributes = attributes | {"names": note["names"], "tile": array.shape[1]}
    complete(group, path, note["index"], attributes, {})
    # The manifest is Snakemake's to delete; what it costs to manifest again is to read.
    files = read_manifest(path)["files"]
    hashes = {n: files[n]["sha256"] for n in (shard_name(kind, i) for i in shards)}
    write_json(record_path(path), note | {"shards": hashes})
