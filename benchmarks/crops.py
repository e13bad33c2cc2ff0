"""Random crops of stores on disk: by TensorStore, by Zarr's own pipeline, and by zarrs.

Photographs and a noise bank; all read the same files, in turn. The package ``zarrs`` is
measured where it is installed. Run: python -m benchmarks.crops
"""

import importlib.util
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
from mid_core.store.layout import covering

IMAGES, SIDE, PATCHES, CROPS, REPEATS = 8, 1024, (64, 256), 100, 5
PIPELINES = {"zarr": "zarr.core.codec_pipeline.BatchedCodecPipeline"}
if importlib.util.find_spec("zarrs"):
    PIPELINES["zarrs"] = "zarrs.ZarrsCodecPipeline"


def write(path: Path, kind: str) -> None:
    """Write a store of photographs, or of white noise."""
    rng, photo = np.random.default_rng(0), np.tile(astronaut(), (2, 2, 1))
    with StoreWriter(path, kind) as store:
        for i in range(IMAGES):
            noise = rng.normal(0, 0.1, (SIDE, SIDE, 3)).astype(np.float16)
            store.append(str(i), photo if kind == "image" else noise)


def window(
    tiles: zarr.Array, entry: np.ndarray, start: list[int], size: int
) -> np.ndarray:
    """Read a window through Zarr: each row of tiles is one slice of the stack."""
    tile = tiles.shape[1]
    read = [
        np.concatenate(tiles[row[0] : row[-1] + 1], axis=1)
        for row in covering(entry, tile, tuple(start), (size, size))
    ]
    y, x = (edge % tile for edge in start)
    return np.concatenate(read)[y : y + size, x : x + size]


def each(read: Callable, places: list[list[int]], size: int) -> None:
    """Read a window at each place: image, top, left."""
    for index, *start in places:
        read(index, start, size)


def compare(path: Path, kind: str, size: int) -> dict[str, object]:
    """Time crops of a size in every way."""
    store, index = Store(path), zarr.open_group(path, mode="r")["index"][:]
    limits = (IMAGES, SIDE - size + 1, SIDE - size + 1)
    places = np.random.default_rng(1).integers(0, limits, (CROPS, 3)).tolist()
    reads: dict[str, Callable] = {
        "tensorstore": lambda i, at, s: store.crop(i, at[0], at[1], s)
    }
    for name, pipeline in PIPELINES.items():
        # An array keeps the pipeline with which it was opened.
        with zarr.config.set({"codec_pipeline.path": pipeline}):
            tiles = zarr.open_group(path, mode="r")[kind]
        reads[name] = lambda i, at, s, tiles=tiles: window(tiles, index[i], at, s)
    works = {name: partial(each, read, places, size) for name, read in reads.items()}
    times = alternate(works, REPEATS)
    row = {"store": kind, "patch_size": size}
    for name, taken in times.items():
        row[f"{name}_ms_a_crop"] = 1e3 * statistics.median(taken) / CROPS
    for name in PIPELINES:
        row[f"{name}/tensorstore"] = ratio(times[name], times["tensorstore"])
    return row


def main() -> None:
    """Print a row for each kind of store and size of crop."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("image", "noise"):
            path = Path(folder) / f"{kind}.zarr"
            write(path, kind)
            rows += [compare(path, kind, size) for size in PATCHES]
    publish("crops", {"crops from disk": rows})


if __name__ == "__main__":
    main()
