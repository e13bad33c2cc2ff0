"""Zarr stores of images and of noise; the only module that knows Zarr.

A store holds a stack of square tiles, the array ``image``, ``truth`` or ``noise`` after
what it is, and the array ``index``: a row (first tile, height, width) for each image.
Images follow each other; an image's tiles go row by row; pixels beyond its right and
lower edge mirror the image. Zarr format 3, sharded, every chunk with a checksum: any Zarr
reader opens it. Beside ``NAME.zarr`` lies ``NAME.seal.json`` with the size and
hash of every file, written last: a store without it is unfinished.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from mid_core.errors import MidError

KINDS = ("image", "truth", "noise")
TILE = 256
SHARD_BYTES = 64 * 2**20


def seal_path(path: Path | str) -> Path:
    """Where the seal of the store at ``path`` lies."""
    path = Path(path)
    return path.with_name(path.name.removesuffix(".zarr") + ".seal.json")


def store_path(seal: Path | str) -> Path:
    """Where the store lies that this seal belongs to."""
    seal = Path(seal)
    return seal.with_name(seal.name.removesuffix(".seal.json") + ".zarr")


def write_json(path: Path, content: dict) -> None:
    """Write a small file so that it appears complete or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("w") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _per_shard(itemsize: int, tile: int) -> int:
    return max(1, SHARD_BYTES // (itemsize * tile**2 * 3))


def count_files(tiles: int, itemsize: int, tile: int = TILE) -> int:
    """Count the files of a store of so many tiles: shards, metadata, index, seal."""
    return -(-tiles // _per_shard(itemsize, tile)) + 5


def _grid(height: int, width: int, tile: int) -> tuple[int, int]:
    return -(-height // tile), -(-width // tile)


def _cut(image: np.ndarray, tile: int) -> np.ndarray:
    """Cut (H, W, C) into (tiles, tile, tile, C), mirrored beyond the far edges."""
    height, width, channels = image.shape
    rows, columns = _grid(height, width, tile)
    pad = ((0, rows * tile - height), (0, columns * tile - width), (0, 0))
    blocks = np.pad(image, pad, mode="symmetric")
    blocks = blocks.reshape(rows, tile, columns, tile, channels)
    return blocks.swapaxes(1, 2).reshape(-1, tile, tile, channels)


class StoreWriter:
    """Writes a store image by image, in whole shards, and seals it at the end.

    Use as a context manager; leaving it without an error seals the store, which must
    then have an image. Memory is bounded by one shard and one image.

    Parameters
    ----------
    path
        ``NAME.zarr``; what an unfinished run left there is removed.
    kind
        ``"image"``, ``"truth"`` or ``"noise"``.
    tile
        Side of a tile in pixels.
    """

    def __init__(self, path: Path | str, kind: str, tile: int = TILE) -> None:
        self.path, self.kind, self.tile = Path(path), kind, tile
        self.names: list[str] = []
        self.attributes: dict = {}
        self._index: list[tuple[int, int, int]] = []
        self._tiles = 0
        self._waiting: list[np.ndarray] = []
        self._array: zarr.Array | None = None
        seal_path(self.path).unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._group = zarr.create_group(self.path)

    def _create(self, dtype: np.dtype, channels: int) -> zarr.Array:
        shape = (self.tile, self.tile, channels)
        per_shard = _per_shard(dtype.itemsize, self.tile)
        return self._group.create_array(
            self.kind,
            shape=(0, *shape),
            dtype=dtype,
            chunks=(1, *shape),
            shards=(per_shard, *shape),
            compressors=[ZstdCodec(level=1, checksum=True)],
            config={"write_empty_chunks": True},
        )

    def append(self, name: str, image: np.ndarray) -> None:
        """Add one image, (H, W, C), of the type and with as many colours as the first.

        Raises
        ------
        MidError
            If its type or number of colours is another.
        """
        height, width, channels = image.shape
        if self._array is None:
            self._array = self._create(image.dtype, channels)
        if channels != self._array.shape[3]:
            raise MidError(
                f"'{name}' has {channels} colour(s), but the pool's first image has "
                f"{self._array.shape[3]}: put grey and colour images into two pools"
            )
        if image.dtype != self._array.dtype:
            raise MidError(
                f"'{name}' has {image.dtype} samples, but the pool's first image has "
                f"{self._array.dtype}: put them into two pools, or convert them"
            )
        rows, columns = _grid(height, width, self.tile)
        self.names.append(name)
        self._index.append((self._tiles, height, width))
        self._tiles += rows * columns
        self._waiting.extend(_cut(image, self.tile))
        per_shard = self._array.shards[0]
        self._flush(len(self._waiting) // per_shard * per_shard)

    def _flush(self, ready: int) -> None:
        if ready:
            self._array.append(np.stack(self._waiting[:ready]))
            del self._waiting[:ready]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            return
        self._flush(len(self._waiting))
        index = np.array(self._index, np.int64).reshape(-1, 3)
        self._group.create_array("index", data=index)
        self._group.attrs.update(
            self.attributes | {"names": self.names, "tile": self.tile}
        )
        write_json(seal_path(self.path), _inventory(self.path))


def _inventory(path: Path) -> dict:
    """List every file of a store with its size and SHA-256."""
    files = {}
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        name = file.relative_to(path).as_posix()
        files[name] = {"bytes": file.stat().st_size, "sha256": digest}
    content = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    return {"format": 1, "content": content, "files": files}


class Store:
    """A finished store, opened for reading: as many images, read whole or in part.

    Attributes
    ----------
    kind
        ``"image"``, ``"truth"`` or ``"noise"``.
    names, sizes
        Of each image: its name, and (height, width) in pixels.
    dtype, channels
        Of the samples, and colours of every image.
    attributes
        Provenance and statistics, as written.
    content
        Hash of everything in the store.

    Raises
    ------
    MidError
        If the store is missing, unfinished, or a file's size is not as sealed.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.content = _check_seal(self.path)
        group = zarr.open_group(self.path, mode="r")
        self.attributes = dict(group.attrs)
        self.kind = next(kind for kind in KINDS if kind in group)
        self._array, self._index = group[self.kind], group["index"][:]
        self.names = list(self.attributes["names"])
        self.sizes = [(int(height), int(width)) for _, height, width in self._index]
        self.dtype, self.channels = self._array.dtype, self._array.shape[3]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def nbytes(self) -> int:
        """Bytes of all images in memory."""
        pixels = sum(height * width for height, width in self.sizes)
        return pixels * self.channels * self.dtype.itemsize

    def read(self, index: int) -> np.ndarray:
        """Return image ``index``, (H, W, C) in the stored dtype."""
        return self._window(index, (0, 0), self.sizes[index])

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return a (size, size, C) window of an image, reading its tiles only."""
        return self._window(index, (top, left), (size, size))

    def _window(
        self, index: int, start: tuple[int, int], size: tuple[int, int]
    ) -> np.ndarray:
        first, height, width = (int(value) for value in self._index[index])
        tile = self._array.shape[1]
        columns = _grid(height, width, tile)[1]
        (top, left), (high, wide) = start, size
        rows = range(top // tile, -(-(top + high) // tile))
        lead, end = left // tile, -(-(left + wide) // tile)
        starts = [first + row * columns for row in rows]
        try:
            strips = [
                np.concatenate(self._array[start + lead : start + end], axis=1)
                for start in starts
            ]
        # A checksum's failure comes as whatever the codec raises.
        except Exception as error:
            raise MidError(
                f"{self._array.store_path} is damaged ({error}): delete the store's "
                "seal, then run the workflow again: it rebuilds it"
            ) from error
        window = np.concatenate(strips)
        y, x = top - rows[0] * tile, left - lead * tile
        # A view would keep the tiles' margins in memory.
        return np.ascontiguousarray(window[y : y + high, x : x + wide])

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        for index, name in enumerate(self.names):
            yield name, self.read(index)


def pairs(
    noisy: Store, clean: Store, count: int | None = None
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, image and truth of the images that both stores have.

    All of them, or ``count`` that are spread evenly over them.

    Raises
    ------
    MidError
        If an image and its truth differ in size.
    """
    position = {name: i for i, name in enumerate(clean.names)}
    shared = [i for i, name in enumerate(noisy.names) if name in position]
    count = min(count or len(shared), len(shared))
    for step in np.linspace(0, len(shared) - 1, count).astype(int):
        i, name = shared[step], noisy.names[shared[step]]
        image, truth = noisy.read(i), clean.read(position[name])
        if image.shape != truth.shape:
            raise MidError(
                f"'{name}' is {image.shape} in {noisy.path} but {truth.shape} in "
                f"{clean.path} (height, width, colours): a pair must match exactly"
            )
        yield name, image, truth


def _check_seal(path: Path) -> str:
    """Compare a store's files with its seal, by size; return the content's hash."""
    seal, again = seal_path(path), "run the workflow again: it rebuilds it"
    if not path.is_dir():
        raise MidError(f"there is no store at {path}: {again}")
    if not seal.is_file():
        raise MidError(f"{path} is unfinished, {seal.name} is not there: {again}")
    sealed = json.loads(seal.read_text())
    for name, facts in sealed["files"].items():
        file = path / name
        size = file.stat().st_size if file.is_file() else None
        if size != facts["bytes"]:
            raise MidError(
                f"{file} has {size} bytes but was sealed with {facts['bytes']}: "
                f"delete {seal}, then {again}"
            )
    return sealed["content"]
