"""Zarr stores of images and of noise; the only package that knows Zarr and TensorStore.

A store holds a stack of square tiles, the array ``image``, ``truth`` or ``noise`` after
what it is, and the array ``index``: a row (first tile, height, width) for each image.
Images follow each other; an image's tiles go row by row; pixels beyond its right and
lower edge mirror the image. Zarr format 3, sharded, every chunk with a checksum: any Zarr
reader opens it. Beside ``NAME.zarr`` lies ``NAME.manifest.json`` with the size and hash of
every file, written last: a store without it is unfinished, and resumed shard by shard.
"""

from mid_core.store.layout import TILE, count_files
from mid_core.store.manifest import (
    damage,
    manifest_path,
    sha256,
    store_path,
    write_json,
)
from mid_core.store.parts import PartWriter
from mid_core.store.reading import Store, pairs, spread
from mid_core.store.writing import StoreWriter

__all__ = [
    "TILE",
    "PartWriter",
    "Store",
    "StoreWriter",
    "count_files",
    "damage",
    "manifest_path",
    "pairs",
    "sha256",
    "spread",
    "store_path",
    "write_json",
]
