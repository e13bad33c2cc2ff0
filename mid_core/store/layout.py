"""How images lie in a store: tiles in shards, and an index of images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import zarr

    from mid_core.store.shards import Tiles

KINDS = ("image", "truth", "noise")
TILE = 256
SHARD_BYTES = 64 * 2**20


def per_shard(itemsize: int, tile: int) -> int:
    """Tiles in a shard, for samples of so many bytes."""
    return max(1, SHARD_BYTES // (itemsize * tile**2 * 3))


def count_files(tiles: int, itemsize: int, tile: int = TILE) -> int:
    """Count the files of a store of so many tiles: shards, metadata, index, manifest, note."""
    return -(-tiles // per_shard(itemsize, tile)) + 6


def shard_name(kind: str, number: int) -> str:
    """Name of a shard's file in its store."""
    return f"{kind}/c/{number}/0/0/0"


def grid(height: int, width: int, tile: int) -> tuple[int, int]:
    """Rows and columns of tiles that cover an image."""
    return -(-height // tile), -(-width // tile)


def cut(image: np.ndarray, tile: int) -> Iterator[np.ndarray]:
    """Cut (H, W, C) into (tile, tile, C), row by row, mirrored beyond the far edges."""
    rows, columns = (
        np.pad(np.arange(side), (0, -side % tile), mode="symmetric").reshape(-1, tile)
        for side in image.shape[:2]
    )
    for row in rows:
        for column in columns:
            inside = image[row[0] : row[0] + tile, column[0] : column[0] + tile]
            whole = inside.shape[:2] == (tile, tile)
            yield inside if whole else image[np.ix_(row, column)]


def strips(
    entry: np.ndarray, tile: int, start: tuple[int, int], size: tuple[int, int]
) -> list[range]:
    """Return the tiles that cover a window of an image, a range for each row of them.

    Parameters
    ----------
    entry
        The image's row of the index: first tile, height, width.
    tile
        Side of a tile in pixels.
    start, size
        Top and left, height and width of the window, in pixels.
    """
    first, height, width = map(int, entry)
    columns = grid(height, width, tile)[1]
    (top, left), (high, wide) = start, size
    lead, end = left // tile, -(-(left + wide) // tile)
    rows = range(top // tile, -(-(top + high) // tile))
    return [
        range(first + row * columns + lead, first + row * columns + end) for row in rows
    ]


def window(
    tiles: zarr.Array | Tiles,
    entry: np.ndarray,
    start: tuple[int, int],
    size: tuple[int, int],
) -> np.ndarray:
    """Read a window of one image, and no tiles beside it.

    Parameters
    ----------
    tiles
        The stack of tiles.
    entry, start, size
        As for `strips`.

    Returns
    -------
    (H, W, C) in the stored dtype.
    """
    tile = tiles.shape[1]
    read = [
        np.concatenate(tiles[strip.start : strip.stop], axis=1)
        for strip in strips(entry, tile, start, size)
    ]
    (y, x), (high, wide) = (edge % tile for edge in start), size
    # A view would keep the tiles' margins in memory.
    return np.ascontiguousarray(np.concatenate(read)[y : y + high, x : x + wide])
