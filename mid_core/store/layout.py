"""How images lie in a store: tiles in shards, and an index of images."""

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

KINDS = ("image", "truth", "noise")
TILE = 256
SHARD_BYTES = 64 * 2**20
# A tile of zeros is written, too: one that is missing is then known to be lost.
WRITTEN_WHOLE = {"write_empty_chunks": True}


def per_shard(itemsize: int, tile: int) -> int:
    """Tiles in a shard, for samples of so many bytes."""
    return max(1, SHARD_BYTES // (itemsize * tile**2 * 3))


def count_files(tiles: int, itemsize: int, tile: int = TILE) -> int:
    """Count the files of a store of so many tiles: shards, metadata, index, seal."""
    return -(-tiles // per_shard(itemsize, tile)) + 5


def grid(height: int, width: int, tile: int) -> tuple[int, int]:
    """Rows and columns of tiles that cover an image."""
    return -(-height // tile), -(-width // tile)


def cut(image: np.ndarray, tile: int) -> np.ndarray:
    """Cut (H, W, C) into (tiles, tile, tile, C), mirrored beyond the far edges."""
    height, width, channels = image.shape
    rows, columns = grid(height, width, tile)
    pad = ((0, rows * tile - height), (0, columns * tile - width), (0, 0))
    blocks = np.pad(image, pad, mode="symmetric")
    blocks = blocks.reshape(rows, tile, columns, tile, channels)
    return blocks.swapaxes(1, 2).reshape(-1, tile, tile, channels)


def window(
    array: zarr.Array, entry: np.ndarray, start: tuple[int, int], size: tuple[int, int]
) -> np.ndarray:
    """Read a window of one image, and no tiles beside it.

    Parameters
    ----------
    array
        The stack of tiles.
    entry
        The image's row of the index: first tile, height, width.
    start, size
        Top and left, height and width of the window, in pixels.

    Returns
    -------
    (H, W, C) in the stored dtype.
    """
    first, height, width = map(int, entry)
    tile = array.shape[1]
    columns = grid(height, width, tile)[1]
    (top, left), (high, wide) = start, size
    rows = range(top // tile, -(-(top + high) // tile))
    lead, end = left // tile, -(-(left + wide) // tile)
    starts = [first + row * columns for row in rows]
    strips = [
        np.concatenate(array[start + lead : start + end], axis=1) for start in starts
    ]
    y, x = top - rows[0] * tile, left - lead * tile
    # A view would keep the tiles' margins in memory.
    return np.ascontiguousarray(np.concatenate(strips)[y : y + high, x : x + wide])


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
        compressors=[ZstdCodec(level=1, checksum=True)],
        config=WRITTEN_WHOLE,
    )


def reopen(group: zarr.Group, kind: str) -> zarr.Array:
    """Open the stack of a store in the making, to write on."""
    return group[kind].with_config(WRITTEN_WHOLE)
