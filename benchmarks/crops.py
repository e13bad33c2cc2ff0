"""Random crops of stores on disk, against Zarr's own reading of the same tiles.

Photographs and a noise bank; both alternate in one run. Run: python -m benchmarks.crops
"""

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import zarr
from skimage.data import astronaut

from benchmarks.measuring import alternate, publish, ratio
from mid_core.store import Store, StoreWriter
from mid_core.store.layout import window

IMAGES, SIDE, PATCHES, CROPS, REPEATS = 8, 1024, (64, 256), 100, 5


def write(path: Path, kind: str) -> None:
    """Write a store of photographs, or of white noise."""
    rng, photo = np.random.default_rng(0), np.tile(astronaut(), (2, 2, 1))
    with StoreWriter(path, kind) as store:
        for i in range(IMAGES):
            noise = rng.normal(0, 0.1, (SIDE, SIDE, 3)).astype(np.float16)
            store.append(str(i), photo if kind == "image" else noise)


def each(read: Callable, places: list[list[int]], size: int) -> None:
    """Read a window at each place: image, top, left."""
    for index, *start in places:
        read(index, start, size)


def compare(path: Path, kind: str, size: int) -> dict[str, object]:
    """Time crops of a size both ways."""
    store, group = Store(path), zarr.open_group(path, mode="r")
    tiles, index = group[kind], group["index"][:]
    limits = (IMAGES, SIDE - size + 1, SIDE - size + 1)
    places = np.random.default_rng(1).integers(0, limits, (CROPS, 3)).tolist()
    reads = {
        "ours": lambda i, start, size: store.crop(i, *start, size),
        "zarr": lambda i, start, size: window(tiles, index[i], start, (size, size)),
    }
    works = {name: partial(each, read, places, size) for name, read in reads.items()}
    times = alternate(works, REPEATS)
    row = {"store": kind, "patch_size": size}
    for name, taken in times.items():
        row[f"{name}_ms_a_crop"] = 1e3 * statistics.median(taken) / CROPS
    return row | {"ratio": ratio(times["zarr"], times["ours"])}


def main() -> None:
    """Print a row for each kind of store and size of crop."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("image", "noise"):
            path = Path(folder) / f"{kind}.zarr"
            write(path, kind)
            rows += [compare(path, kind, size) for size in PATCHES]
    publish("crops", {"crops from disk, against Zarr's": rows})


if __name__ == "__main__":
    main()
