"""Ingest of full-size photographs against decoding them and throwing the pixels away.

Run: python -m benchmarks.ingest [COUNT]
"""

import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from os import cpu_count
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from scipy.ndimage import gaussian_filter, zoom
from skimage.data import coffee

from mid_core.datasets.ingesting import decode, ingest

SHAPE, DISTINCT, REPEATS = (3000, 5328, 3), 4, 5
SIDD_MEDIUM = 320


def photograph(path: Path, seed: int) -> None:
    """Write a noisy picture as large, and as slow to decode, as one of SIDD's.

    Its noise is correlated as a camera's demosaicing leaves it: white noise would be
    faster to decode than a photograph. The file has half of its pixels' bytes.
    """
    small = coffee().astype(np.float32)
    picture = zoom(small, (SHAPE[0] / 400, SHAPE[1] / 600, 1), order=1)
    noise = np.random.default_rng(seed).standard_normal(SHAPE, np.float32)
    noise = gaussian_filter(noise, (0.6, 0.6, 0))
    picture = 0.7 * picture + 4 * np.sqrt(picture / 128) * noise / noise.std()
    iio.imwrite(path, np.clip(picture, 0, 255).astype(np.uint8), compress_level=6)


def seconds_of(work: Callable[[], None]) -> float:
    """Time one go."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(count: int = 12) -> None:
    """Print seconds, ratio and peak memory, and what SIDD Medium would take."""
    threads, taken = cpu_count() or 1, []
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.png" for i in range(DISTINCT)]
        with ProcessPoolExecutor(threads) as pool:
            list(pool.map(photograph, paths, range(DISTINCT)))
        files = [paths[i % DISTINCT] for i in range(count)]
        items = [{"name": f"{i}.png", "image": str(p)} for i, p in enumerate(files)]
        settings = {"reader": "folders", "path": folder, "broken": "refuse"}
        store = Path(folder) / "pool/image.zarr"

        def decode_all() -> None:
            for _ in decode(items, settings, "image", threads):
                pass

        def ingest_all() -> None:
            shutil.rmtree(store.parent, ignore_errors=True)
            ingest(items, settings, "image", store, 1, threads)

        # Alternating, so that a busy machine slows both.
        for _ in range(REPEATS + 1):
            taken.append([seconds_of(work) for work in (decode_all, ingest_all)])
        stored = sum(p.stat().st_size for p in store.rglob("*") if p.is_file())
        made = sum(path.is_file() for path in store.rglob("*")) + 1
        read = sum(path.stat().st_size for path in files)
    decoding, ingesting = map(statistics.median, zip(*taken[1:], strict=True))
    print(
        f"{count} PNG of {SHAPE[1]}x{SHAPE[0]}, {read / 2**20:.0f} MB, {threads} cores"
    )
    print(f"decode, thrown away {decoding:.1f} s; ingest {ingesting:.1f} s")
    print(f"ratio decode / ingest: {decoding / ingesting:.2f} (to reach: 0.80)")
    print(f"store {stored / 2**20:.0f} MB in {made} files")
    share = SIDD_MEDIUM / count
    print(
        f"SIDD Medium, {SIDD_MEDIUM} such images: {share * ingesting / 60:.1f} min, "
        f"{share * stored / 2**30:.1f} GB, about {share * made:.0f} files"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
