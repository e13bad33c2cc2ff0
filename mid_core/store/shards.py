"""The stack of tiles: described through Zarr, read and written through TensorStore.

Both libraries follow the Zarr format 3, so that either reads what the other writes. For a
crop, Zarr's own takes several times as long as TensorStore (docs/machinery.md).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorstore
import zarr
from zarr.codecs import ZstdCodec

from mid_core.store.layout import covering, per_shard

_OPTIONS = {
    "driver": "zarr3",
    # A tile that is not there is an error, and one of zeros is written.
    "fill_missing_data_reads": False,
    "store_data_equal_to_fill_value": True,
    "context": {
        "cache_pool": {"total_bytes_limit": 0},
        # One process writes a shard, and some file systems have no locks.
        "file_io_locking": {"mode": "none"},
    },
}
# What TensorStore calls a shard that has not got its name yet.
UNFINISHED = "*.__lock"


def create(
    group: zarr.Group, kind: str, tiles: int, dtype: str, channels: int, tile: int
) -> zarr.Array:
    """Create the stack of tiles in a store's group."""
    shape = (tile, tile, channels)
    # At level 1 noise has 0.92 of its bytes, and takes five times as long to decode.
    level = -1 if np.dtype(dtype).kind == "f" else 1
    return group.create_array(
        kind,
        shape=(tiles, *shape),
        dtype=dtype,
        chunks=(1, *shape),
        shards=(per_shard(np.dtype(dtype).itemsize, tile), *shape),
        compressors=[ZstdCodec(level=level, checksum=True)],
        # For xarray, which opens no array without them.
        dimension_names=("tile", "y", "x", "colour"),
    )


def open_tiles(path: Path, kind: str) -> tensorstore.TensorStore:
    """Open the stack of tiles of the store at ``path``: (tiles, tile, tile, C)."""
    place = {"driver": "file", "path": str((path / kind).absolute())}
    return tensorstore.open(_OPTIONS | {"kvstore": place}, open=True).result()


def write_tiles(path: Path, kind: str, first: int, tiles: np.ndarray) -> None:
    """Write a shard, (tiles, tile, tile, C), which begins with the tile ``first``.

    It appears when it is whole and on the disk.

    Raises
    ------
    OSError
        If the disk refuses it.
    """
    try:
        place = open_tiles(path, kind)[first : first + len(tiles)]
        place.write(tiles, can_reference_source_data_indefinitely=True).result()
    except ValueError as error:
        raise OSError(str(error)) from error


def read_window(
    tiles: tensorstore.TensorStore,
    entry: Sequence[int],
    start: tuple[int, int],
    size: tuple[int, int],
) -> np.ndarray:
    """Read a window of one image, and no tiles beside it.

    Parameters
    ----------
    tiles
        The stack of tiles.
    entry, start, size
        As for `covering`.

    Returns
    -------
    (H, W, C) in the stored dtype.

    Raises
    ------
    ValueError
        If a tile is missing or damaged.
    """
    tile, channels = tiles.shape[2:]
    numbers = covering(entry, tile, start, size)
    rows, columns = numbers.shape
    read = tiles[numbers].read().result().swapaxes(1, 2)
    whole = read.reshape(rows * tile, columns * tile, channels)
    (y, x), (high, wide) = (edge % tile for edge in start), size
    # A view would keep the tiles' margins in memory.
    return np.ascontiguousarray(whole[y : y + high, x : x + wide])
