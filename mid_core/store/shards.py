"""Shards: tiles that are compressed in any thread, and written in one file.

To the byte what Zarr writes, which takes several times as long: it compresses a shard
only when all of it is there.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np
import zarr
from numcodecs import Zstd
from zarr.codecs import ZstdCodec

from mid_core.files import written_whole
from mid_core.store.layout import TILE, cut, per_shard

# The same for Zarr, which reads the tiles, and for numcodecs, which writes them.
_ZSTD = {"level": 1, "checksum": True}
# How Zarr marks a tile that a shard does not have: the last shard may be short.
_MISSING = 2**64 - 1


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
        compressors=[ZstdCodec(**_ZSTD)],
    )


@dataclass(frozen=True)
class Packed:
    """An image as it lies in a store: its tiles, encoded, row by row."""

    shape: tuple[int, int, int]
    dtype: np.dtype
    tiles: list[bytes]


def pack(image: np.ndarray, tile: int = TILE) -> Packed:
    """Cut an image, (H, W, C), and encode its tiles, those of zeros, too."""
    encode = Zstd(**_ZSTD).encode
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
