"""How images lie in a store: tiles in shards, and an index of images."""

from collections.abc import Sequence

import numpy as np

KINDS = ("image", "truth", "noise")
TILE = 256
SHARD_BYTES = 64 * 2**20


def per_shard(itemsize: int, tile: int) -> int:
    """Tiles in a shard, for samples of so many bytes."""
    return max(1, SHARD_BYTES // (itemsize * tile**2 * 3))


def count_files(tiles: int, itemsize: int, tile: int = TILE) -> int:
    """Count a store's files: shards, metadata, index, manifest, progress note."""
    return -(-tiles // per_shard(itemsize, tile)) + 6


def shard_name(kind: str, number: int) -> str:
    """Name of a shard's file in its store."""
    return f"{kind}/c/{number}/0/0/0"


def grid(height: int, width: int, tile: int) -> tuple[int, int]:
    """Rows and columns of tiles that cover an image."""
    return -(-height // tile), -(-width // tile)


def image_tiles(entry: Sequence[int], tile: int) -> range:
    """The numbers of an image's tiles, by its row of the index."""
    first, height, width = map(int, entry)
    rows, columns = grid(height, width, tile)
    return range(first, first + rows * columns)


def cut(image: np.ndarray, tile: int) -> np.ndarray:
    """Cut an image into tiles, row by row, mirrored beyond its lower and right edges.

    Parameters
    ----------
    image
        (H, W, C).
    tile
        Side of a tile in pixels.

    Returns
    -------
    (tiles, tile, tile, C), of the image's dtype.
    """
    height, width, channels = image.shape
    margins = (0, -height % tile), (0, -width % tile), (0, 0)
    if np.any(margins):
        image = np.pad(image, margins, mode="symmetric")
    rows, columns = grid(height, width, tile)
    blocks = image.reshape(rows, tile, columns, tile, channels).swapaxes(1, 2)
    return blocks.reshape(-1, tile, tile, channels)


def covering(
    entry: Sequence[int], tile: int, start: tuple[int, int], size: tuple[int, int]
) -> np.ndarray:
    """Return the numbers of the tiles that cover a window of an image.

    Parameters
    ----------
    entry
        The image's row of the index: first tile, height, width.
    tile
        Side of a tile in pixels.
    start, size
        Top and left, height and width of the window, in pixels.

    Returns
    -------
    (rows, columns) of tiles.
    """
    first, height, width = map(int, entry)
    rows, columns = (
        np.arange(edge // tile, -(-(edge + length) // tile))
        for edge, length in zip(start, size, strict=True)
    )
    return first + rows[:, None] * grid(height, width, tile)[1] + columns
