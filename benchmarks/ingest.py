"""Ingest of full-size photographs against decoding them and throwing the pixels away.

Run: python -m benchmarks.ingest [COUNT]
"""

import resource
import sys
import tempfile
import time
from os import cpu_count
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from scipy.ndimage import zoom

from mid_core.datasets.ingesting import decode, ingest

SHAPE = (3000, 5328, 3)
SIDD_MEDIUM = 320


def photograph(path: Path, seed: int) -> None:
    """Write a noisy picture as large and as hard to compress as one of SIDD's."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(20, 120, (SHAPE[0] // 150, SHAPE[1] // 148, 3))
    picture = zoom(small, (150, 148, 1), order=1)
    picture += rng.normal(0, 8, picture.shape)
    iio.imwrite(path, np.clip(picture, 0, 255).astype(np.uint8), compress_level=6)


def main(count: int = 12) -> None:
    """Print seconds, ratio and peak memory, and what SIDD Medium would take."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.png" for i in range(count)]
        for seed, path in enumerate(paths):
            photograph(path, seed)
        items = [{"name": path.name, "image": str(path)} for path in paths]
        settings = {"reader": "folders", "path": folder, "broken": "refuse"}
        threads, seconds = cpu_count() or 1, {}
        for turn in ("warm-up", "decode", "ingest"):
            start = time.perf_counter()
            if turn == "ingest":
                store = Path(folder) / "pool/image.zarr"
                ingest(items, settings, "image", store, 1, threads)
            else:
                for _ in decode(items, settings, "image", threads):
                    pass
            seconds[turn] = time.perf_counter() - start
        stored = sum(p.stat().st_size for p in store.rglob("*") if p.is_file())
        files = sum(path.is_file() for path in store.rglob("*")) + 1
        read = sum(path.stat().st_size for path in paths)
    ratio = seconds["decode"] / seconds["ingest"]
    print(
        f"{count} PNG of {SHAPE[1]}x{SHAPE[0]}, {read / 2**20:.0f} MB, {threads} cores"
    )
    print(
        f"decode, thrown away {seconds['decode']:.1f} s; ingest {seconds['ingest']:.1f} s"
    )
    print(f"ingest runs at {ratio:.2f} of the decoder's speed")
    print(f"store {stored / 2**20:.0f} MB in {files} files")
    share = SIDD_MEDIUM / count
    print(
        f"SIDD Medium, {SIDD_MEDIUM} such images: {share * seconds['ingest'] / 60:.1f} "
        f"min, {share * stored / 2**30:.1f} GB, about {share * files:.0f} files"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
