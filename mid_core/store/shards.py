"""Shards: files of many tiles, which are compressed and read in any thread.

To the byte what Zarr writes and to the sample what it reads. Zarr compresses a shard only
when all of it is there, and for a crop it takes many times as long as the decoding.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path

import google_crc32c
import numpy as np
import zarr
from numcodecs import Zstd
from zarr.codecs import ZstdCodec

from mid_core.runtime.files import written_whole
from mid_core.store.layout import TILE, cut, per_shard, shard_name

_DECODER = Zstd()
# How Zarr marks a tile that a shard does not have: the last shard may be short.
_MISSING = 2**64 - 1


def _zstd(dtype: np.dtype) -> dict:
    """How samples are compressed: noise, which hardly can be, so as to be read fast."""
    # The same for Zarr, which describes the tiles, and numcodecs, which codes them.
    # At level 1 noise has 0.92 of its bytes, and takes five times as long to decode.
    return {"level": -1 if dtype.kind == "f" else 1, "checksum": True}


def create(
    group: zarr.Group, kind: str, tiles: int, dtype: str, channels: int, tile: int
) -> zarr.Array:
    """Create the stack of tiles in a store's group."""
    shape = (tile, tile, channels)
    return group.create_array(
        kind,
        shape=(tiles, *shape),
        dtype=dtype,
        chunks=(1, *shape),
        shards=(per_shard(np.dtype(dtype).itemsize, tile), *shape),
        compressors=[ZstdCodec(**_zstd(np.dtype(dtype)))],
    )


@dataclass(frozen=True)
class Packed:
    """An image as it lies in a store: its tiles, encoded, row by row."""

    shape: tuple[int, int, int]
    dtype: np.dtype
    tiles: list[bytes]


def pack(image: np.ndarray, tile: int = TILE) -> Packed:
    """Cut an image, (H, W, C), and encode its tiles, those of zeros, too."""
    encode = Zstd(**_zstd(image.dtype)).encode
    tiles = [encode(np.ascontiguousarray(block)) for block in cut(image, tile)]
    return Packed(image.shape, image.dtype, tiles)


def write_shard(file: Path, tiles: Sequence[bytes], size: int) -> str:
    """Write a shard for ``size`` encoded tiles, of which it may have fewer.

    It appears when it is whole and on the disk.

    Returns
    -------
    The file's SHA-256, in hexadecimal.
    """
    lengths = np.array([len(tile) for tile in tiles])
    index = np.full((size, 2), _MISSING, "<u8")
    index[: len(tiles)] = np.stack([lengths.cumsum() - lengths, lengths], axis=1)
    places = index.tobytes()
    places += google_crc32c.value(places).to_bytes(4, "little")
    file.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with written_whole(file) as stream:
        for part in (*tiles, places):
            digest.update(part)
            stream.write(part)
    return digest.hexdigest()


class Tiles:
    """The tiles of a finished stack, read straight from its shards.

    Parameters
    ----------
    path
        The store.
    array
        The stack, as Zarr describes it.

    Attributes
    ----------
    shape
        Tiles, and the shape of one: (tiles, tile, tile, C).
    per_shard
        Tiles in a shard.
    """

    def __init__(self, path: Path, array: zarr.Array) -> None:
        self.shape, self.dtype = array.shape, array.dtype
        self.per_shard = array.shards[0]
        self._path, self._kind = path, array.basename
        self._places: dict[int, np.ndarray] = {}

    def __getitem__(self, numbers: slice) -> np.ndarray:
        """Return the tiles from one number up to another.

        Raises
        ------
        OSError
            If their shard is not there.
        ValueError
            If it is damaged; or RuntimeError, as the decoder finds.
        """
        wanted = range(numbers.start, numbers.stop)
        tiles = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for tile, number in zip(tiles, wanted, strict=True):
            shard, place = divmod(number, self.per_shard)
            with (self._path / shard_name(self._kind, shard)).open("rb", 0) as file:
                if shard not in self._places:
                    self._places[shard] = _read_places(file, self.per_shard)
                start, length = map(int, self._places[shard][place])
                encoded = os.pread(file.fileno(), length, start)
            _DECODER.decode(encoded, tile)
        return tiles


def _read_places(file: RawIOBase, size: int) -> np.ndarray:
    """Read where each of the tiles of a shard begins, and how many bytes it has."""
    length = 16 * size + 4
    file.seek(-length, os.SEEK_END)
    read = file.read(length)
    places, checksum = read[:-4], int.from_bytes(read[-4:], "little")
    if google_crc32c.value(places) != checksum:
        raise ValueError("the checksum of its index is another")
    return np.frombuffer(places, "<u8").reshape(size, 2)
